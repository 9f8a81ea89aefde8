"""The cmdlets that the endpoint answers, with their real parameters, rows and error records."""

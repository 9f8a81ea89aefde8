"""Talking: sessions, owner threads, decoder, deadlines. The one room that imports pypsrp."""

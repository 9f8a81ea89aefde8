from tests.journal.quick import quick_journals

__all__ = ["quick_journals"]

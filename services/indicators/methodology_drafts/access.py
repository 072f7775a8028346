"""Who may see drafts of methodologies and who may write them: those who add versions."""

from services.indicators.methodologies.access import MethodologyEditor

__all__ = ["DraftEditor"]

DraftEditor = MethodologyEditor

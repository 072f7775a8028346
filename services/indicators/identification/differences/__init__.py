"""Two runs compared: which schools entered or left, and which change suffices to say why."""

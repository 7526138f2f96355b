"""Attention: takes tokens in groups, gives each what the others of its group know, with rotary places and masks."""

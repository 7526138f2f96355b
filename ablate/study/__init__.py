"""A request in, a finished results folder out. Start reading at `flow.py`: the whole flow on one page."""

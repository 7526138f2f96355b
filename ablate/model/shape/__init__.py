"""Takes operations on the meta device, gives shapes, FLOPs and what is known of them already: no compiler is loaded."""

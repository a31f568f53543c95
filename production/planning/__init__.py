"""When it can be made: pure functions on plain values. No Django here; arrays and dataclasses in, plans out."""

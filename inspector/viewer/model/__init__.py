"""What the viewer knows, does and shows, with no toolkit: state, actions, data and drawings."""

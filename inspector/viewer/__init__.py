"""The window: what it shows (`model`, without a toolkit) and how it is drawn (`dpg`)."""

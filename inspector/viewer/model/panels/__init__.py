"""The parts of the window: functions from what is to be shown to a drawing."""

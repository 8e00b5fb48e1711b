"""What holds for all tests."""

import signal

# Shells start what runs in the background with Ctrl-C ignored, which processes that the tests interrupt would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

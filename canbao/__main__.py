"""``python -m canbao``."""

from canbao import main

main()

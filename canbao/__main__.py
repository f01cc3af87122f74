"""``python -m canbao``."""

from canbao import main

if __name__ == "__main__":  # worker processes import this module too
    main()

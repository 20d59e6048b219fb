"""A worker of batches that dies of rows with the word "poison" in them, as of one that takes all the memory."""

import os
import signal

from matcher import batch_workers
from matcher.batch_rows import Answered, Asked, Settings
from matcher.match import Matcher

_answer = batch_workers.answer


def _deadly(matcher: Matcher, asked: Asked, settings: Settings) -> Answered:
    if "poison" in (asked.text or ""):
        os.kill(os.getpid(), signal.SIGKILL)
    return _answer(matcher, asked, settings)


if __name__ == "__main__":
    batch_workers.answer = _deadly
    batch_workers.main()

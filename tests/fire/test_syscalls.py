"""The judge of system calls sees an acknowledgement that is too early, and only that."""

from tests.fire.syscalls import judge, read_calls

SOCKET = "12<TCP:[127.0.0.1:40000->127.0.0.1:2775]>"
LOG = "9</tmp/tollbridge.db-wal>"
READ = rf'7 recvfrom({SOCKET}, "\0\0\0\32\0\0\0\5\0\0\0\0\0\0\0\1GAME 0-117", 65536, 0, NULL, NULL) = 26'
WRITE = rf'8 pwrite64({LOG}, "..\1GAME 0-117..", 15, 4096) = 15'
SYNC = f"8 fdatasync({LOG}) = 0"
ANSWER = rf'7 sendto({SOCKET}, "\0\0\0\21\200\0\0\5\0\0\0\0\0\0\0\1\0", 17, 0, NULL, 0) = 17'
REFUSAL = rf'7 sendto({SOCKET}, "\0\0\0\21\200\0\0\5\0\0\0X\0\0\0\1\0", 17, 0, NULL, 0) = 17'


def faults(*lines: str) -> list[str]:
    """What the judge finds."""
    return judge(list(read_calls(lines)), 2775).faults


def test_an_answer_behind_the_fsync_of_its_message_is_right() -> None:
    judged = judge(list(read_calls([READ, WRITE, SYNC, ANSWER])), 2775)

    assert (judged.faults, judged.acknowledged, judged.with_text) == ([], 1, 1)


def test_an_answer_before_the_fsync_is_found() -> None:
    assert len(faults(READ, WRITE, ANSWER, SYNC)) == 1
    assert len(faults(READ, ANSWER, WRITE, SYNC)) == 1


def test_an_fsync_that_does_not_cover_the_message_does_not_count() -> None:
    assert len(faults(READ, SYNC, WRITE, ANSWER)) == 1
    assert len(faults(SYNC, READ, WRITE, ANSWER)) == 1
    assert len(faults(READ, WRITE.replace("117", "118"), SYNC, ANSWER)) == 1
    assert len(faults(READ, WRITE, SYNC.replace("-wal", ""), ANSWER)) == 1


def test_an_fsync_that_has_not_ended_when_the_answer_begins_does_not_count() -> None:
    begun, ended = f"8 fdatasync({LOG} <unfinished ...>", "8 <... fdatasync resumed>) = 0"

    assert len(faults(READ, WRITE, begun, ANSWER, ended)) == 1
    assert faults(READ, WRITE, begun, ended, ANSWER) == []


def test_a_read_that_another_thread_interrupts_is_put_together() -> None:
    begun = f"7 recvfrom({SOCKET},  <unfinished ...>"
    ended = r'7 <... recvfrom resumed>"\0\0\0\32\0\0\0\5\0\0\0\0\0\0\0\1GAME 0-117", 65536, 0, NULL, NULL) = 26'

    assert faults(begun, WRITE, ended, WRITE, SYNC, ANSWER) == []
    assert len(faults(begun, WRITE, ended, SYNC, ANSWER)) == 1


def test_a_temporary_error_may_go_at_any_time() -> None:
    assert faults(READ, REFUSAL) == []

"""The judge of system calls sees an acknowledgement that is too early, and only that."""

from tests.fire.syscalls import Server, judge, read_calls

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


DB = "15<TCP:[127.0.0.1:40001->127.0.0.1:3306]>"
INSERT = rf"""8 sendto({DB}, "\45\0\0\0\3INSERT INTO `mo` VALUES ('GAME 0-117')", 99, 0, NULL, 0) = 99"""
FOUND = rf'8 recvfrom({DB}, "\7\0\0\1\0\1\0\2\0\0\0", 16384, 0, NULL, NULL) = 11'
COMMIT = rf'8 sendto({DB}, "\7\0\0\0\3COMMIT", 11, 0, NULL, 0) = 11'
OK = rf'8 recvfrom({DB}, "\7\0\0\1\0\0\0\2\0\0\0", 16384, 0, NULL, NULL) = 11'
NO = rf'8 recvfrom({DB}, "\27\0\0\1\377\275\4#HY000Lock wait", 16384, 0, NULL, NULL) = 18'


def faults_with_server(*lines: str) -> list[str]:
    """What the judge finds where the messages go to a server."""
    calls = list(read_calls(lines))
    return judge(calls, 2775, Server(calls, 3306)).faults


def test_an_answer_behind_the_ok_to_the_commit_of_its_message_is_right() -> None:
    assert faults_with_server(READ, INSERT, FOUND, COMMIT, OK, ANSWER) == []


def test_an_answer_before_that_ok_is_found() -> None:
    assert len(faults_with_server(READ, INSERT, FOUND, COMMIT, ANSWER, OK)) == 1
    assert len(faults_with_server(READ, INSERT, FOUND, ANSWER, COMMIT, OK)) == 1
    assert len(faults_with_server(READ, ANSWER, INSERT, FOUND, COMMIT, OK)) == 1


def test_an_ok_that_has_not_ended_when_the_answer_begins_does_not_count() -> None:
    begun, ended = f"8 recvfrom({DB},  <unfinished ...>", "8 <... recvfrom resumed>" + OK.partition(", ")[2]

    assert len(faults_with_server(READ, INSERT, FOUND, COMMIT, begun, ANSWER, ended)) == 1
    assert faults_with_server(READ, INSERT, FOUND, COMMIT, begun, ended, ANSWER) == []


def test_a_commit_that_failed_or_is_of_another_does_not_count() -> None:
    assert len(faults_with_server(READ, INSERT, FOUND, COMMIT, NO, ANSWER)) == 1
    assert len(faults_with_server(READ, COMMIT, OK, INSERT, FOUND, ANSWER)) == 1
    assert len(faults_with_server(INSERT, FOUND, READ, COMMIT, OK, ANSWER)) == 1
    assert len(faults_with_server(READ, INSERT.replace("117", "1170"), FOUND, COMMIT, OK, ANSWER)) == 1
    others = [line.replace("40001", "40002") for line in (COMMIT, OK)]
    assert len(faults_with_server(READ, INSERT, FOUND, *others, ANSWER)) == 1


def test_a_statement_that_is_sent_in_pieces_is_put_together() -> None:
    first = rf"""8 sendto({DB}, "\45\0\0\0\3INSERT INTO `mo` VALUES ('GAME", 35, 0, NULL, 0) = 35"""
    second = rf"""8 sendto({DB}, " 0-117')", 8, 0, NULL, 0) = 8"""

    assert faults_with_server(READ, first, second, FOUND, COMMIT, OK, ANSWER) == []

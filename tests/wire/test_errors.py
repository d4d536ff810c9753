"""Errors name what a person needs."""

from wire.errors import LocalError, RemoteError, WireError


def test_a_local_error_names_the_role_the_operation_and_the_state() -> None:
    error = LocalError("too soon", role="esme", operation="submit_sm", state="open")

    assert str(error) == "esme, submit_sm, open: too soon"
    assert str(LocalError("too long")) == "too long"
    assert isinstance(error, WireError)


def test_a_remote_error_says_what_to_answer_and_whether_the_stream_is_lost() -> None:
    error = RemoteError("command_length 3", answer=0x02, fatal=True)

    assert str(error) == "command_length 3 (answer 0x02)"
    assert error.fatal
    assert str(RemoteError("a response", answer=None)) == "a response"

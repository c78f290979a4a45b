"""What tasks write to wake the scheduler: never waited for, and read as a whole."""

from rankalpha.airflow_fixes.wakeup import ALL, Wakeup


def test_nothing_has_ended():
    assert not Wakeup().wait(0.01)


def test_no_task_waits_for_a_scheduler_that_does_not_read():
    wakeup = Wakeup()
    for _ in range(ALL + 1):  # more than a pipe holds
        wakeup.on_task_instance_success()
    assert wakeup.wait(0.01)
    assert not wakeup.wait(0.01)
    wakeup.on_task_instance_failed()
    assert wakeup.wait(0.01)

from rankalpha.settings import AdminSettings, StackSettings


def test_stack_settings(monkeypatch):
    monkeypatch.setenv("RANKALPHA_AIRFLOW_PORT", "18080")
    stack = StackSettings()
    assert (stack.airflow_port, stack.api_port, stack.frontend_port) == (18080, 6080, 3000)


def test_the_admin_password_does_not_show(monkeypatch):
    monkeypatch.setenv("RANKALPHA_ADMIN_PASSWORD", "sesame-17")
    admin = AdminSettings()
    assert admin.password.get_secret_value() == "sesame-17"
    assert "sesame" not in f"{admin!r} {admin}"

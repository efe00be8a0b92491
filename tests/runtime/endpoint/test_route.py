import pytest

from statefun_runtime.endpoint.route import Origin, find_route


@pytest.mark.parametrize(
    ("template", "origin", "first_lines", "shown"),
    [
        ("http://host/", Origin(False, "host", 80, None), b"POST / HTTP/1.1\r\nhost: host\r\n", "http://host/"),
        (
            "https://host:8443/{function.name}?key=secret",
            Origin(True, "host", 8443, None),
            b"POST /greeter?key=secret HTTP/1.1\r\nhost: host:8443\r\n",
            "https://host:8443/greeter",
        ),
        (
            "http://[::1]:90",
            Origin(False, "::1", 90, None),
            b"POST / HTTP/1.1\r\nhost: [::1]:90\r\n",
            "http://[::1]:90/",
        ),
        (
            "http://{function.name}.svc/call",
            Origin(False, "greeter.svc", 80, None),
            b"POST /call HTTP/1.1\r\nhost: greeter.svc\r\n",
            "http://greeter.svc/call",
        ),
        (
            "http+unix:///run/fn.sock/a/b",
            Origin(False, "localhost", 80, "/run/fn.sock"),
            b"POST /a/b HTTP/1.1\r\nhost: localhost\r\n",
            "http://(/run/fn.sock)/a/b",
        ),
    ],
)
def test_a_route_leads_where_the_template_says(template: str, origin: Origin, first_lines: bytes, shown: str) -> None:
    route = find_route(template, "example/greeter")
    assert route.origin == origin
    assert route.head.startswith(first_lines)
    assert route.head.endswith(b"\r\ncontent-length: ")
    assert route.url == shown


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("a b", b"/a%20b"),
        ("x?y", b"/x%3Fy"),
        ("x#y", b"/x%23y"),
        ("ü", b"/%C3%BC"),
        ("a\r\nb", b"/a%0D%0Ab"),
        ("%2e", b"/%252e"),
    ],
)
def test_a_name_stays_within_its_part_of_the_path(name: str, target: bytes) -> None:
    head = find_route("http://host/{function.name}", f"example/{name}").head
    assert head.split(b" ")[1] == target


@pytest.mark.parametrize("name", [".", ".."])
def test_a_name_that_would_leave_its_directory_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no URL of its own"):
        find_route("http://host/functions/{function.name}", f"example/{name}")


def test_a_name_matters_only_to_a_template_that_names_it() -> None:
    assert find_route("http://host/all", "example/..").head.startswith(b"POST /all ")


@pytest.mark.parametrize("name", ["evil.org", "a@b", "a:1", "ü", "a" * 64])
def test_a_name_in_a_host_is_one_label(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be part of a host name"):
        find_route("http://{function.name}/", f"example/{name}")


def test_a_socket_path_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than 107 bytes"):
        find_route(f"http+unix:///{'x' * 120}.sock/", "example/greeter")


def test_the_template_gets_the_name_without_its_namespace() -> None:
    assert find_route("http://host/{function.name}", "a/b/greeter").url == "http://host/greeter"
    assert find_route("http://host/all", "a/greeter").url == "http://host/all"

"""Attach and detach, as a person sees them."""

import pathlib

import world
from support import s3


class Attach(world.Case):
    def test_curl_in_a_running_container_is_intercepted_and_goes_direct_after_detach(self):
        shop = self.origin("shop")
        job = self.container()
        self.assert_direct(job, "shop.test", shop)
        self.attach(job)
        self.assert_intercepted(job, "shop.test", shop)
        answer = self.curl(job, "https://shop.test/", "--include")
        self.assertIn("x-origin: shop", answer.out.lower())
        self.assertIn("hello from shop", answer.out)
        self.detach(job)
        self.assert_direct(job, "shop.test", shop)
        self.assertIn("hello from shop", self.curl(job, "https://shop.test/").out)

    def test_the_flow_says_who_called_and_where_to(self):
        shop = self.origin("shop")
        job = self.container()
        self.attach(job)
        self.curl(job, "https://shop.test/bytes/10")
        flow = self.only([line for line in self.daemon.read_lines("flows") if "shop.test" in str(line)])
        for word in (job.name, "shop.test", shop.address, "/bytes/10", "curl"):
            self.assertIn(word, str(flow))
        shown = self.daemon.waylay("flows").out
        self.assertIn("shop.test", shown)
        self.assertIn("/bytes/10", shown)

    def test_the_name_alone_or_the_beginning_of_the_id_will_do(self):
        shop = self.origin("shop")
        job = self.container()
        for target in (job.name, job.id[:12]):
            with self.subTest(target=target):
                self.daemon.waylay("attach", target)
                self.assert_intercepted(job, "shop.test", shop)
                self.daemon.waylay("detach", target)
                self.assert_direct(job, "shop.test", shop)

    def test_a_large_body_and_one_of_every_kind_arrive_unchanged(self):
        shop = self.origin("shop")
        job = self.container()
        fetch = "curl --silent --fail --max-time 60 https://shop.test{} | sha256sum"
        send = "head -c 3000000 /dev/zero | curl --silent --fail --max-time 60 {} --data-binary @- https://shop.test/echo | sha256sum"
        commands = [fetch.format(path) for path in ("/bytes/0", "/bytes/1", "/bytes/100000", "/bytes/50000000", "/slow/0.05/5")]
        commands += [send.format(options) for options in ("", "--header 'Transfer-Encoding: chunked'", "--header 'Expect: 100-continue'")]
        direct = [job.run("sh", "-c", command).out for command in commands]
        self.attach(job)
        self.assert_intercepted(job, "shop.test", shop)
        self.assertEqual([job.run("sh", "-c", command).out for command in commands], direct)

    def test_the_origin_gets_the_request_head_as_the_client_wrote_it(self):
        shop = self.origin("shop")
        job = self.container()
        words = ["--header", "X-Mixed-CASE: one", "--header", "x-again: 1", "--header", "X-Again: 2", "--header", "x-empty;"]
        direct = self.curl(job, "https://shop.test/headers", *words).out
        self.attach(job)
        self.assert_intercepted(job, "shop.test", shop)
        self.assertEqual(self.curl(job, "https://shop.test/headers", *words).out, direct)

    def test_several_requests_on_one_connection(self):
        shop = self.origin("shop")
        job = self.container()
        self.attach(job)
        urls = [f"https://shop.test/bytes/{size}" for size in (3, 5, 7)]
        self.assertEqual(len(self.curl(job, urls[0], *urls[1:]).out), 15)
        self.assertEqual(len({entry["port"] for entry in shop.requests()}), 1, "the origin saw one connection too")

    def test_ipv6_is_intercepted_where_the_container_has_a_route_for_it(self):
        shop = self.origin("shop")
        job = self.container(ipv6=True)
        self.assertIn("x-origin: shop", self.curl(job, "https://shop.test/", "-6", "--include").out.lower())
        self.attach(job)
        for family in ("-4", "-6"):
            answer = self.curl(job, "https://shop.test/", family, "--include", "--write-out", "%{remote_ip}")
            self.assertIn("x-origin: shop", answer.out.lower())
            self.assertIn(shop.address if family == "-4" else shop.address6, answer.out, "getpeername tells the real address")
        self.assertEqual(sum("shop.test" in str(line) for line in self.daemon.read_lines("flows")), 2)

    def test_a_port_of_ones_own(self):
        shop = self.origin("shop", port=8443)
        job = self.container()
        self.attach(job, "--port", "8443")
        self.assertIn("hello from shop", self.curl(job, "https://shop.test:8443/").out)
        self.assertEqual(sum("shop.test" in str(line) for line in self.daemon.read_lines("flows")), 1)

    def test_two_containers_are_kept_apart(self):
        shop = self.origin("shop")
        one, other = self.container("one"), self.container("other")
        self.attach(one)
        self.assert_intercepted(one, "shop.test", shop)
        self.assert_direct(other, "shop.test", shop)
        self.attach(other)
        self.assert_intercepted(other, "shop.test", shop)
        self.detach(one)
        self.assert_direct(one, "shop.test", shop)
        self.assert_intercepted(other, "shop.test", shop)

    def test_detach_all_leaves_no_mount_behind(self):
        self.origin("shop")
        jobs = [self.container("one"), self.container("two")]
        before = [self.mount_points(job) for job in jobs]
        for job in jobs:
            self.attach(job)
            self.assertNotEqual(self.mount_points(job), before[jobs.index(job)], "trust is mounted while attached")
        self.daemon.waylay("detach", "--all")
        self.assertEqual([self.mount_points(job) for job in jobs], before)

    def test_nothing_is_mounted_with_no_trust(self):
        shop = self.origin("shop")
        job = self.container()
        before = self.mount_points(job)
        self.attach(job, "--no-trust")
        self.assertEqual(self.mount_points(job), before)
        self.assertNotEqual(self.curl(job, "https://shop.test/", check=False).status, 0, "curl cannot trust the leaf")
        self.assertIn("hello from shop", self.curl(job, "https://shop.test/", "--insecure").out)
        self.assertTrue(shop.requests())

    def test_a_process_and_a_cgroup_can_be_targets_too(self):
        shop = self.origin("shop")
        job = self.container()
        cgroup = [line.split("::")[1] for line in pathlib.Path(f"/proc/{job.pid}/cgroup").read_text().splitlines() if line.startswith("0::")][0]
        self.daemon.waylay("attach", f"cgroup:{cgroup}")
        self.assert_intercepted(job, "shop.test", shop)
        self.daemon.waylay("detach", f"cgroup:{cgroup}")
        self.assert_direct(job, "shop.test", shop)
        # pid: the container's first process alone; a second one in the same container is left alone.
        self.daemon.waylay("attach", f"pid:{job.pid}")
        self.assert_direct(job, "shop.test", shop)
        self.daemon.waylay("detach", f"pid:{job.pid}")


class Boto3(world.Case):
    def test_unmodified_boto3_is_intercepted_and_decrypted(self):
        origin = self.origin("aws", s3.HOST)
        job = self.container()
        call = ("s3_call.py", "standard", "list_buckets", "{}")
        self.assertTrue(self.python(job, *call)["ok"])
        self.attach(job)
        self.assertEqual(self.python(job, *call), {"ok": True, "status": 200, "retries": 0})
        self.assertIn("ListBuckets", str(self.daemon.read_lines("flows")))
        self.detach(job)
        self.assertTrue(self.python(job, *call)["ok"])
        self.assertEqual(len(origin.requests()), 3)

"""Attach and detach, as a person sees them."""

import pathlib

import world
from support import process, s3


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


class Processes(world.Case):
    """pid: is that process and its threads; its children belong to it only with --tree."""

    def begin_loop(self):
        self.origin("shop")
        inside = self.client_namespace()
        loop = "while :; do curl --silent --insecure --max-time 5 https://shop.test/; sleep 0.1; done"
        running = process.Background([*inside, "sh", "-c", loop], self.folder / "loop.log")
        self.addCleanup(running.stop)
        process.until(lambda: "hello" in running.said(), 10, "the process calls", also=running.said)
        return running

    def calls_seen(self):
        return sum("shop.test" in str(line) for line in self.daemon.read_lines("flows"))

    def test_with_tree_the_children_of_a_process_are_intercepted(self):
        running = self.begin_loop()
        self.daemon.waylay("attach", f"pid:{running.pid}", "--tree")
        process.until(lambda: self.calls_seen() >= 3, 10, "the children's calls are seen", also=self.daemon.said)
        self.daemon.waylay("detach", f"pid:{running.pid}")

    def test_without_tree_they_are_left_alone(self):
        running = self.begin_loop()
        self.daemon.waylay("attach", f"pid:{running.pid}")
        before = len(running.said())
        process.until(lambda: len(running.said()) > before + 100, 10, "calls go on", also=running.said)
        self.assertEqual(self.calls_seen(), 0)

    def test_a_process_that_ends_is_detached_by_itself(self):
        running = self.begin_loop()
        self.daemon.waylay("attach", f"pid:{running.pid}", "--tree")
        running.stop()
        process.until(lambda: "ended" in self.daemon.waylay("status").out.lower(), 10, "status shows that the target ended")


class Show(world.Case):
    def test_one_exchange_is_shown_with_heads_times_and_rules(self):
        shop = self.origin("shop")
        job = self.container()
        self.attach(job)
        self.daemon.waylay("rules", "add", "busy", "--match", 'http.host == "shop.test"', "--status", "429")
        self.curl(job, "https://shop.test/bytes/10", "--header", "x-asked: this")
        exchange = self.only([line for line in self.daemon.read_lines("flows") if "/bytes/10" in str(line)])
        shown = self.daemon.waylay("show", str(exchange["id"])).out
        for words in ("GET", "/bytes/10", "x-asked: this", "429", "busy", "x-origin: shop", shop.address, job.name, "curl"):
            self.assertIn(words, shown)
        self.assertIn("x-asked", str(self.daemon.read("show", str(exchange["id"]))))

    def test_status_tells_per_target_what_the_hook_saw_and_what_became_of_it(self):
        self.origin("shop")
        job = self.container()
        self.attach(job)
        for _ in range(3):
            self.curl(job, "https://shop.test/")
        self.curl(job, "http://shop.test:443/", check=False)  # no TLS: passed through
        target = self.only(self.daemon.read("status")["targets"])
        self.assertEqual(target["name"], f"docker:{job.name}")
        self.assertEqual(target["kernel"]["redirected"], 4)
        self.assertEqual((target["connections"]["intercepted"], target["connections"]["passed_through"]), (3, 1))
        self.assertTrue(target["reasons"])
        self.assertIn(job.name, self.daemon.waylay("status").out)


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

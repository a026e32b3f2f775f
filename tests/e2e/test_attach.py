"""Attach and detach, as a person sees them with curl."""

import world


class Attach(world.Case):
    def test_curl_in_a_running_container_is_intercepted_and_after_detach_goes_direct(self):
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

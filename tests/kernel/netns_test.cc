// Sockets and routes of other namespaces.
#include "kernel/netns.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "kernel/process.h"
#include "kernel/support.h"

namespace waylay::kernel::testing {
namespace {

int option(const Fd& fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  EXPECT_EQ(getsockopt(fd.get(), level, name, &value, &size), 0);
  return value;
}

TEST(NetworkNamespace, HasAnInodeAndACookieOfItsOwn) {
  Namespace one;
  Namespace two;
  EXPECT_EQ(*netns_inode(one.fd()), *network_namespace(one.holder()));
  EXPECT_NE(*netns_inode(one.fd()), *netns_inode(two.fd()));
  EXPECT_NE(*netns_cookie_of(one.fd()), *netns_cookie_of(two.fd()));
  EXPECT_EQ(*netns_cookie(open_socket(one.fd(), Family::Ipv6)->get()), one.cookie());
}

TEST(NetworkNamespace, OfAProcessThatIsNotThereIsNotFound) {
  EXPECT_EQ(open_netns(0x7ffffff0).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(open_netns_at("/run/netns/waylay-kernel-no-such").error().kind, ErrorKind::NotFound);
}

TEST(NetworkNamespace, IsEnteredByAHelperThreadAndNeverByTheCaller) {
  Namespace net;
  uint64_t before = *network_namespace(getpid());
  uint64_t inside = 0;
  ASSERT_TRUE(run_in_netns(net.fd(), [&] {
    Fd own(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    inside = *netns_inode(own.get());
  }));
  EXPECT_EQ(inside, *netns_inode(net.fd()));
  EXPECT_EQ(*network_namespace(getpid()), before);
}

TEST(NetworkNamespace, CannotBeAnotherFile) {
  Fd file(open("/dev/null", O_RDONLY | O_CLOEXEC));
  bool ran = false;
  EXPECT_FALSE(run_in_netns(file.get(), [&] { ran = true; }));
  EXPECT_FALSE(ran);
}

TEST(Listeners, ShareOnePortOverBothFamilies) {
  Namespace net;
  Result<Listeners> listeners = open_listeners(net.fd(), 4);
  ASSERT_TRUE(listeners) << listeners.error().message;
  EXPECT_EQ(listeners->v4.size(), 4u);
  EXPECT_EQ(listeners->v6.size(), 4u);
  EXPECT_NE(listeners->port_v4, 0);
  EXPECT_EQ(listeners->port_v4, listeners->port_v6);
  for (const std::vector<Fd>* group : {&listeners->v4, &listeners->v6})
    for (const Fd& listener : *group) {
      EXPECT_EQ(option(listener, SOL_SOCKET, SO_ACCEPTCONN), 1);
      EXPECT_EQ(option(listener, IPPROTO_TCP, TCP_NODELAY), 1);
      EXPECT_TRUE(fcntl(listener.get(), F_GETFL) & O_NONBLOCK);
      EXPECT_TRUE(fcntl(listener.get(), F_GETFD) & FD_CLOEXEC);
      EXPECT_EQ(*netns_cookie(listener.get()), net.cookie());
    }
}

TEST(Listeners, AreThereForIpv4WhenTheNamespaceHasNoIpv6) {
  Namespace net;
  net.run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
  Result<Listeners> listeners = open_listeners(net.fd(), 1);
  ASSERT_TRUE(listeners) << listeners.error().message;
  EXPECT_EQ(listeners->v4.size(), 1u);
  EXPECT_TRUE(listeners->v6.empty());
  EXPECT_EQ(listeners->port_v6, 0);
}

TEST(Listeners, NeedALoopbackDeviceThatIsUp) {
  Namespace net;
  net.run("ip link set lo down");
  Result<Listeners> listeners = open_listeners(net.fd(), 1);
  ASSERT_FALSE(listeners);
  EXPECT_NE(listeners.error().message.find("loopback device of this network namespace is down"), std::string::npos);
}

TEST(UpstreamSocket, IsNonblockingAndLivesInTheNamespace) {
  Namespace net;
  for (Family family : {Family::Ipv4, Family::Ipv6}) {
    Result<Fd> socket = open_socket(net.fd(), family);
    ASSERT_TRUE(socket);
    EXPECT_TRUE(fcntl(socket->get(), F_GETFL) & O_NONBLOCK);
    EXPECT_TRUE(fcntl(socket->get(), F_GETFD) & FD_CLOEXEC);
    EXPECT_EQ(*netns_cookie(socket->get()), net.cookie());
  }
}

// A device that leads nowhere but has routes.
void add_device(const Namespace& net, bool ipv6) {
  net.run("ip link add d0 type veth peer name d1 && ip link set d1 up");
  net.run(std::string("sysctl -qw net.ipv6.conf.d0.disable_ipv6=") + (ipv6 ? "0" : "1"));
  net.run("ip link set d0 up");
}

TEST(Routes, DoNotExistInANamespaceWithLoopbackOnly) {
  Namespace net;
  EXPECT_EQ(*read_routes(net.fd()), (RouteState{}));
}

TEST(Routes, AreSeenByFamily) {
  Namespace net;
  add_device(net, false);
  EXPECT_EQ(*read_routes(net.fd()), (RouteState{}));
  net.run("ip addr add 10.78.0.1/24 dev d0");
  EXPECT_EQ(*read_routes(net.fd()), (RouteState{.v4 = true, .v6 = false}));
  net.run("sysctl -qw net.ipv6.conf.d0.disable_ipv6=0");
  net.run("ip -6 addr add fd78::1/64 dev d0 nodad");
  EXPECT_EQ(*read_routes(net.fd()), (RouteState{.v4 = true, .v6 = true}));
}

TEST(Routes, OfLinkLocalAndMulticastAddressesDoNotCount) {
  Namespace net;
  add_device(net, true);
  // The kernel makes the link-local route some time after the link is up.
  net.run("for i in $(seq 100); do ip -6 route show table all | grep -q fe80 && exit 0; sleep 0.1; done; exit 1");
  EXPECT_EQ(*read_routes(net.fd()), (RouteState{}));
}

TEST(Routes, ThatRefuseDoNotCount) {
  Namespace net;
  net.run("ip -6 route add unreachable default metric 4096; ip route add blackhole default");
  EXPECT_EQ(*read_routes(net.fd()), (RouteState{}));
}

TEST(Routes, DisappearWithTheirDevice) {
  Namespace net;
  add_device(net, false);
  net.run("ip addr add 10.78.0.1/24 dev d0");
  net.run("ip link set d0 down");
  EXPECT_EQ(*read_routes(net.fd()), (RouteState{}));
}

TEST(Routes, DecideWhichFamiliesAreRedirected) {
  EXPECT_EQ(families_to_redirect({}), (Families{.v4 = true, .v6 = true}));
  EXPECT_EQ(families_to_redirect({.v4 = true, .v6 = false}), (Families{.v4 = true, .v6 = false}));
  EXPECT_EQ(families_to_redirect({.v4 = false, .v6 = true}), (Families{.v4 = false, .v6 = true}));
  EXPECT_EQ(families_to_redirect({.v4 = true, .v6 = true}), (Families{.v4 = true, .v6 = true}));
}

bool readable(int fd) {
  pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&waiting, 1, 5000) == 1;
}

TEST(RouteWatch, TellsOfEveryChangeThatMatters) {
  Namespace net;
  Result<RouteWatch> watch = RouteWatch::open(net.fd());
  ASSERT_TRUE(watch) << watch.error().message;
  pollfd quiet{.fd = watch->fd(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&quiet, 1, 0), 0);
  for (const char* change : {"ip link add d0 type veth peer name d1 && ip link set d1 up && ip link set d0 up",
                             "ip addr add 10.78.0.1/24 dev d0", "ip -6 addr add fd78::1/64 dev d0 nodad",
                             "ip route add 10.79.0.0/24 via 10.78.0.2", "ip link set d0 down"}) {
    net.run(change);
    EXPECT_TRUE(readable(watch->fd())) << change;
    watch->drain();
  }
}

TEST(CgroupTree, MakesMovesWatchesAndRemoves) {
  Cgroup parent("c");
  const CgroupTree& tree = Cgroup::tree();
  Result<std::string> path = tree.create_child(parent.path(), "run-1");
  ASSERT_TRUE(path) << path.error().message;
  EXPECT_EQ(*path, parent.path() + "/run-1");
  EXPECT_EQ(tree.create_child(parent.path(), "run-1").error().kind, ErrorKind::Conflict);
  Result<Fd> directory = tree.open(*path);
  PopulatedWatch watch = *PopulatedWatch::open(directory->get());
  EXPECT_FALSE(watch.populated());
  Child child([](Talk& talk) { talk.hear(); });
  ASSERT_TRUE(tree.move_process(*path, child.pid()));
  EXPECT_TRUE(watch.populated());
  EXPECT_EQ(*cgroup_of_process(child.pid()), *path);
  EXPECT_EQ(*tree.processes(parent.path()), std::vector<pid_t>{child.pid()}) << "children's processes too";
  EXPECT_EQ(tree.remove(*path).error().kind, ErrorKind::Conflict);
  child.kill_now();
  pollfd waiting{.fd = watch.fd(), .events = POLLPRI, .revents = 0};
  EXPECT_EQ(poll(&waiting, 1, 5000), 1);
  EXPECT_TRUE(eventually([&] { return !watch.populated(); }));
  EXPECT_TRUE(eventually([&] { return tree.remove(*path).has_value(); }));
  EXPECT_FALSE(watch.populated()) << "removed";
  EXPECT_TRUE(tree.remove(*path)) << "gone already";
}

TEST(CgroupTree, ResolvesWhatPeopleWrite) {
  Cgroup cgroup("d");
  const CgroupTree& tree = Cgroup::tree();
  std::string relative = cgroup.path().substr(1);
  EXPECT_EQ(*tree.resolve(cgroup.path()), cgroup.path());
  EXPECT_EQ(*tree.resolve(relative), cgroup.path());
  EXPECT_EQ(*tree.resolve(relative + "//"), cgroup.path());
  EXPECT_EQ(*tree.resolve(tree.directory(cgroup.path())), cgroup.path());
  EXPECT_EQ(*tree.resolve(tree.mount_point()), "/");
  EXPECT_EQ(tree.resolve("/waylay-kernel-no-such").error().kind, ErrorKind::NotFound);
  EXPECT_EQ(tree.resolve("/x/../" + relative).error().kind, ErrorKind::Invalid);
  EXPECT_EQ(tree.resolve("").error().kind, ErrorKind::Invalid);
  EXPECT_FALSE(tree.resolve(cgroup.path() + "/cgroup.procs"));
}

TEST(CgroupTree, RefusesNamesThatAreNone) {
  Cgroup cgroup("e");
  for (const char* name : {"", "..", ".", "a/b", "/"})
    EXPECT_EQ(Cgroup::tree().create_child(cgroup.path(), name).error().kind, ErrorKind::Invalid) << name;
}

}  // namespace
}  // namespace waylay::kernel::testing

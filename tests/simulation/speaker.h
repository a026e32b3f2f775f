// What one end of a conversation says and hears above TLS: HTTP/1.1 (h1_ends.h), HTTP/2 (h2_client.h, h2_origin.h) or
// plain text (text_end.h). The conversation owns its speakers and carries their words; what both of them know is in
// their Story.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulation/script.h"

namespace waylay::simulation {

// How far each body is on its way through the flow: what was said and not heard yet lies in the flow's buffers, or in
// those of the network around it.
struct Progress {
  size_t said = 0, heard = 0;
  size_t allowed = 0;  // HTTP/2: as many octets have the windows of who hears it ever let through
};

// What an HTTP/2 origin's last GOAWAY said.
struct Farewell {
  uint32_t code = 0;
  std::string debug;
  friend bool operator==(const Farewell&, const Farewell&) = default;
};

// An exchange's stream, at one end, while it is open.
struct OpenStream {
  bool waits = false;      // has more to say, and no window for it
  bool heard_all = false;  // of the other end
  bool has_room = false;   // gives a window for more

  bool keeps_away() const { return !heard_all && !has_room; }
};

struct Story {
  Chance& chance;
  uint64_t number = 0;
  bool stormy = false;
  bool untouched = false;              // passed through: what one end says of HTTP/2 itself is the other one's business
  bool troubled = false;               // something happened that a flow cannot make good
  bool finishing = false;              // nothing new is begun
  bool swift = false;                  // bytes pass in large pieces
  bool origin_leaves = false;          // an origin said GOAWAY
  std::optional<Farewell> farewell{};  // of the last one
  std::vector<PlannedExchange> plan{};
  std::vector<Progress> requests{}, responses{};  // by exchange
  std::vector<size_t> arrivals{};                 // by exchange: how often it came to an origin
  std::vector<bool> over{};                       // by exchange: the client has what it wanted, or will not get it
  size_t most_streams = SIZE_MAX;                 // that an origin takes at once
  std::function<void(const std::string&)> report{};
  std::function<bool()> rules_break{};  // a rule ended exchanges on purpose
  std::function<size_t()> most_held{};  // bytes that rules let one side be ahead of the other

  void begin(std::vector<PlannedExchange> planned);
  // How many bytes pass at a time.
  size_t piece(size_t most) { return swift ? most : 1 + chance.size(most - 1); }
  // The number of the exchange of that name, or the size of the plan.
  size_t index_of(std::string_view name) const;
  // All exchanges that somebody reads without delay are over: the slow ones may go on.
  bool quick_ones_are_over() const;
  [[noreturn]] void wrong(const std::string& what) const;
  bool may_break() const { return troubled || rules_break(); }
};

class Speaker {
 public:
  virtual ~Speaker() = default;
  virtual std::string say() = 0;  // the next bytes, cut anywhere; empty: nothing now
  virtual void hear(std::string_view text) = 0;
  virtual void hear_end() = 0;                      // of the other side, in order
  virtual bool wants_to_end() const = 0;            // all is said and heard
  virtual bool would_cut() const { return false; }  // an orderly end now would make something incomplete look whole
  virtual std::string describe() const = 0;
  virtual std::map<size_t, OpenStream> open_exchanges() const { return {}; }  // HTTP/2
};

// An answer as the client has it.
struct Seen {
  std::string name;
  int status = 0;
  size_t content = 0;
  bool complete = false, tunnel = false;
};

class ClientSpeaker : public virtual Speaker {
 public:
  virtual void check_rest() const {}  // when nothing moves: what an origin said of its connection has come
  virtual void check() const = 0;     // when the conversation is over
  virtual size_t asked() const = 0;
  virtual std::vector<Seen> seen() const = 0;
};

}  // namespace waylay::simulation

// One connection through one Flow, and everything around it that can go wrong: a client and its origins with real TLS
// that follow a script, and the shell between them, which hands bytes over in pieces of any size and in any order.
//
// A calm conversation meets stalls and odd sizes only: in it everything that is asked must be answered. A stormy one
// meets resets, half-closes, refusals and truncation besides: there, what arrives must still be the beginning of what
// was sent, and what looks complete must be. In a calm one both ends must know the same whenever nothing moves.
#pragma once

#include <deque>
#include <list>
#include <memory>
#include <optional>

#include "simulation/speaker.h"
#include "simulation/universe.h"

namespace waylay::simulation {

class Conversation {
 public:
  Conversation(Universe& universe, uint64_t number);
  ~Conversation();

  // Does one thing that can be done now, chosen by chance. False: there is nothing to do but wait.
  bool act();
  void pass_time(int64_t time_ns);  // the clock went on by this
  void finish();                    // no more trouble, and no more stalls: both ends go on to their ends
  bool over() const;
  void check() const;  // when it is over
  std::string describe() const;
  size_t most_queued() const { return most_queued_; }

 private:
  enum class Kind : uint8_t {
    Http,
    PassedThrough,  // the same, but the flow has learnt that this client does not trust us
    Unencrypted,
    Distrusting
  };
  // What the flow has ordered for a side once what it has queued is sent.
  enum class Then : uint8_t { Nothing, Shutdown, Close };

  // A side of the flow as the shell keeps it: what is being sent to the peer, and what is coming from it.
  struct Side {
    ByteQueue sending;  // taken from the flow, on its way
    ByteQueue coming;   // written by the peer
    std::optional<tls::Channel> channel;
    bool reads = true;
    bool fin = false, fin_told = false;  // the peer will send no more; the flow knows
    bool eof = false, lost = false;      // the peer saw the end; a reset
    bool failed = false;
    Then then = Then::Nothing;
    size_t accepted = 0;  // bytes that the flow took from the peer since it last sent something to the other side
  };
  struct Origin : Side {
    flow::UpstreamId id = 0;
    bool open = false;
    ByteQueue hello;  // until all of it is there: what is spoken depends on it
    std::unique_ptr<Speaker> speaker;
  };

  struct Wish {  // of the flow, not answered yet
    bool leaf = false;
    flow::UpstreamId upstream = 0;
    std::string name;
    bool mirrored = false;
    uint64_t handler_of = 0;  // an exchange that waits for a handler's answer
  };

  // The things that can be done; false where this one cannot now.
  bool deliver_from_client();
  bool deliver_to_client();
  bool deliver_from_origin(Origin& origin);
  bool deliver_to_origin(Origin& origin);
  bool answer_flow();
  void answer_leaf(const Wish& wish);
  void answer_handler(const Wish& wish);
  void answer_connect(const Wish& wish);
  void take(Side& side, size_t size);
  bool client_writes();
  bool origin_writes(Origin& origin);
  void stall();
  void trouble();

  void after_event();  // as the shell after every call into the flow
  void carry_out(const flow::Command& command);
  void take_from_flow();
  void hear(Side& side, Speaker* speaker, Bytes bytes);
  bool write(Side& side, Speaker& speaker);
  Speaker* client_handshake_done();
  void origin_hears(Origin& origin, Bytes bytes);
  void greet(Origin& origin);
  std::vector<std::string> offer();
  bool speaks_http2() const;
  size_t held_by_windows() const;
  std::string choose_protocol(const std::vector<std::string>& offered);
  void client_saw_end();
  void end(Side& side, bool with_close_notify);
  void leave_early(Origin& origin);
  void forget_gone_origins();
  bool at_rest() const;
  void check_rest() const;
  void check_rest_of(size_t exchange, const OpenStream& client, const OpenStream& origin) const;
  bool client_is_gone() const { return client_.lost || (client_.eof && client_.fin_told); }
  bool encrypted() const { return kind_ != Kind::Unencrypted; }
  void check_records() const;
  [[noreturn]] void wrong(const std::string& what) const;

  template <class T>
  static T must_tls(Result<T> result) {
    if (!result) found("the simulation itself failed: " + result.error().message);
    return std::move(*result);
  }

  Universe& universe_;
  Chance& chance_;
  const uint64_t number_;
  Kind kind_ = Kind::Http;
  bool origin_speaks_http2_ = false;
  const bool patient_;             // the client does not end before all is at rest
  const uint64_t stalls_once_in_;  // things done: how often somebody begins to read, or stops
  bool rested_ = false;            // nothing was done since all was at rest
  Story story_;
  std::string client_text_, origin_text_;  // of an unencrypted conversation

  std::unique_ptr<flow::Flow> flow_;
  Side client_;
  std::unique_ptr<ClientSpeaker> speaker_;  // of the client, once it knows what is spoken
  std::list<Origin> origins_;
  uint64_t from_client_ = 0, from_origins_ = 0;  // bytes that the flow was given

  std::deque<Wish> wishes_;
  size_t most_queued_ = 0;
  int64_t stalled_ns_ = 0;
};

}  // namespace waylay::simulation

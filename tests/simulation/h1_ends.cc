#include "simulation/h1_ends.h"

#include <algorithm>

namespace waylay::simulation {
namespace {

constexpr size_t kPipelined = 4;

std::string cut_from(std::string& text, Story& story) {
  std::string piece = text.substr(0, story.piece(20'000));
  text.erase(0, piece.size());
  return piece;
}

}  // namespace

// --- The client ---

H1Client::H1Client(Story& story) : story_(story), pipelined_(story.number % 3 == 0 ? kPipelined : 1) {
  answers_.is_for_responses = true;
}

std::string H1Client::say() {
  if (!request_.empty()) return cut_from(request_, story_);
  bool waits = asked_ - final_answers() >= pipelined_;
  if (story_.finishing || waits || asked_ == story_.plan.size()) return "";
  request_ = story_.plan[asked_].request();
  answers_.expect_answer_to(story_.plan[asked_].method);
  ++asked_;
  return cut_from(request_, story_);
}

void H1Client::hear(std::string_view text) {
  answers_.put(text);
  if (!answers_.error().empty()) story_.wrong(answers_.error());
}

bool H1Client::wants_to_end() const {
  bool all_asked = story_.finishing || asked_ == story_.plan.size();
  return all_asked && request_.empty() && final_answers() == asked_;
}

size_t H1Client::final_answers() const {
  return static_cast<size_t>(
      std::ranges::count_if(answers_.messages(), [](const Message& m) { return m.complete && m.status() >= 200; }));
}

std::string H1Client::describe() const {
  return "HTTP/1.1, asked " + std::to_string(asked_) + "/" + std::to_string(story_.plan.size()) + ", answered " +
         std::to_string(final_answers());
}

std::vector<Seen> H1Client::seen() const {
  std::vector<Seen> all;
  for (const Message& message : answers_.messages()) {
    if (message.status() < 200) continue;
    all.push_back({story_.plan[all.size()].name, message.status(), message.content.size(), message.complete, false});
  }
  return all;
}

void H1Client::check() const {
  size_t index = 0;
  bool may_end = story_.may_break();
  for (const Message& message : answers_.messages()) {
    if (message.status() < 200) continue;
    check_answer(message, story_.plan[index++]);
    if (!message.complete && !may_end) story_.wrong("the answer to " + story_.plan[index - 1].name + " was cut short");
    if (message.field("Connection") == "close" || message.until_close) may_end = true;
    // The body that a rule's answer replaced is dropped for a few seconds only; then the connection ends.
    bool replaced = message.status() == 503 && message.field("X-Rule") == "mock";
    if (replaced && story_.plan[index - 1].response_size > 0) may_end = true;
  }
  if (!may_end && index != asked_)
    story_.wrong("only " + std::to_string(index) + " of " + std::to_string(asked_) + " requests were answered");
}

// What is marked as the origin's is the origin's, and whole if it looks whole. All else is said by us, and says so.
void H1Client::check_answer(const Message& answer, const PlannedExchange& planned) const {
  std::optional<std::string> marked = answer.field("X-Exchange");
  if (!marked) {
    bool ours = answer.field("Server") == "waylay" || answer.field("X-Rule") == "mock";
    if (!ours) story_.wrong("an answer that nobody gave: " + answer.start_line());
    return;
  }
  if (*marked != planned.name) story_.wrong("the answer to " + planned.name + " is that of " + *marked);
  bool rewritten = planned.status == 200 && answer.status() == 429 && answer.field("X-Rule") == "status";
  if (answer.status() != planned.status && !rewritten) story_.wrong("another status: " + answer.start_line());
  std::string content = planned.response_content();
  if (content.compare(0, answer.content.size(), answer.content) != 0)
    story_.wrong("another body in the answer to " + planned.name);
  // A rule's FIN ends an answer that lasts until the connection's end as the origin's would.
  bool may_be_cut = answer.until_close && story_.rules_break();
  if (answer.complete && !may_be_cut && answer.content.size() != content.size())
    story_.wrong("the answer to " + planned.name + " looks complete with " + std::to_string(answer.content.size()) +
                 " of " + std::to_string(content.size()) + " bytes");
}

// --- The origin ---

std::string H1Origin::say() {
  if (!answer_.empty()) return cut_from(answer_, story_);
  if (ends_after_answer_ || answered_ == requests_.messages().size()) return "";
  const Message& request = requests_.messages()[answered_];
  if (!request.complete) return "";
  const PlannedExchange& planned = story_.plan[story_.index_of(request.target())];
  answer_ = planned.response();
  ends_after_answer_ = planned.response_body == Body::UntilClose;
  ++answered_;
  return cut_from(answer_, story_);
}

void H1Origin::hear(std::string_view text) {
  requests_.put(text);
  check_requests();
}

// In order, each once, whatever upstream connection it comes over, and nothing but what the client said.
void H1Origin::check_requests() {
  if (!requests_.error().empty()) story_.wrong("the origin got " + requests_.error());
  for (; checked_ < requests_.messages().size(); ++checked_) {
    const Message& message = requests_.messages()[checked_];
    size_t index = story_.index_of(message.target());
    if (index == story_.plan.size())
      story_.wrong("the origin got a request that is not this conversation's: " + message.start_line());
    const PlannedExchange& planned = story_.plan[index];
    std::string content = planned.request_content();
    if (content.compare(0, message.content.size(), message.content) != 0 ||
        (message.complete && message.content.size() != content.size()))
      story_.wrong("the origin got another body of " + planned.name);
    if (!message.complete) return;
  }
}

bool H1Origin::wants_to_end() const {
  if (!answer_.empty()) return false;
  if (ends_after_answer_) return true;
  bool all_answered = answered_ == requests_.messages().size() || !requests_.messages()[answered_].complete;
  return heard_end_ && all_answered;
}

std::string H1Origin::describe() const {
  return "HTTP/1.1, answered " + std::to_string(answered_) + " of " + std::to_string(requests_.messages().size());
}

}  // namespace waylay::simulation

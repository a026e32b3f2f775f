#include "cli/describe.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/conversation.h"

namespace waylay::cli {
namespace {

constexpr size_t kTime = 12, kId = 5, kWho = 20, kMethod = 6, kStatus = 6, kDuration = 8;
constexpr size_t kUrlOnPaper = 48, kLeastUrl = 20;

bool is_message(const Json& event) {
  return text(event, "type") == "message";
}

bool is_connection(const Json& event) {
  return text(event, "type") == "flow";
}

std::string id_of(const Json& event) {
  if (is_message(event)) return to_line(member(event, "exchange"));
  std::string number = to_line(member(event, "id"));
  return is_connection(event) ? "f" + number : number;
}

Color color_of_status(double status) {
  if (status >= 500) return Color::Red;
  if (status >= 400) return Color::Yellow;
  return status >= 200 && status < 300 ? Color::Green : Color::Plain;
}

std::string append_part(std::string text, std::string_view part) {
  if (part.empty()) return text;
  return text.empty() ? std::string(part) : text.append("; ").append(part);
}

std::string ending(const Json& event) {
  std::string end = text(event, "end");
  if (end.empty() || end == "complete" || end == "open") return text(event, "error");
  std::replace(end.begin(), end.end(), '_', ' ');
  std::string error = text(event, "error");
  return error.empty() ? end : end + ": " + error;
}

struct Line {
  std::string method, url, status, duration, note;
  Color status_color = Color::Plain, note_color = Color::Plain;
};

Line exchange_line(const Json& event) {
  Line line;
  line.method = text(event, "method");
  line.url = text(event, "host") + text(event, "path");
  double status = number(event, "status");
  line.status = status > 0 ? std::to_string(static_cast<int>(status)) : "-";
  line.status_color = color_of_status(status);
  if (member(event, "duration_ms").is_number()) line.duration = human_duration(number(event, "duration_ms"));
  bool injected = flag(event, "injected");
  std::string rules = what_rules_did(event);
  line.note = rules.empty() ? "" : (injected ? "injected by " : "changed by ") + rules;
  line.note = append_part(std::move(line.note), ending(event));
  line.note = append_part(std::move(line.note), conversation_in_words(event));
  line.note = append_part(std::move(line.note), aws_call(event));
  line.note_color = injected ? Color::Magenta : Color::Plain;
  return line;
}

Line connection_line(const Json& event) {
  Line line;
  line.url = text(event, "server_name");
  if (line.url.empty()) line.url = text(event, "destination");
  line.status = "-";
  if (member(event, "duration_ms").is_number()) line.duration = human_duration(number(event, "duration_ms"));
  line.note = outcome_in_words(event);
  line.note_color = text(event, "outcome") == "failed" ? Color::Red : Color::Yellow;
  return line;
}

// As the client sees it.
Line message_line(const Json& event) {
  Line line;
  line.method = text(event, "from") == "client" ? "sent" : "got";
  line.url = text(event, "host") + text(event, "path");
  line.status = text(event, "message");
  line.duration = human_size(static_cast<uint64_t>(number(event, "bytes")));
  line.note = message_content(event);
  return line;
}

Line line_of(const Json& event) {
  if (is_message(event)) return message_line(event);
  return is_connection(event) ? connection_line(event) : exchange_line(event);
}

// The address takes what the other columns leave, half of it when there is something to note.
size_t url_width(const Terminal& terminal, size_t note) {
  size_t fixed = kTime + kId + kWho + kMethod + kStatus + kDuration + 12;
  if (terminal.width == 0 || terminal.width <= fixed + kLeastUrl) return kUrlOnPaper;
  size_t room = terminal.width - fixed;
  return note == 0 ? room : std::max(kLeastUrl, room / 2);
}

}  // namespace

std::string who(const Json& event) {
  const Json& container = member(event, "container");
  std::string name = container.is_string() ? text(event, "container") : text(container, "name");
  const Json& process = member(event, "process");
  std::string program = text(process, "name");
  if (program.empty()) program = text(process, "comm");
  if (number(process, "pid") > 0) program += "[" + to_line(member(process, "pid")) + "]";
  if (name.empty() && program.empty()) return text(event, "client");
  return name.empty() ? program : program.empty() ? name : name + " " + program;
}

std::string what_rules_did(const Json& event) {
  std::string out;
  const Json& rules = member(event, "rules");
  if (!rules.is_array()) return out;
  for (const Json& rule : rules) {
    std::string name = text(rule, "name");
    if (name.empty()) name = text(rule, "rule");
    std::string what = text(rule, "what");
    out += (out.empty() ? "" : ", ") + name + (what.empty() ? "" : " (" + what + ")");
  }
  return out;
}

std::string aws_call(const Json& event) {
  const Json& aws = member(event, "aws");
  std::string out = text(aws, "service");
  if (out.empty()) return out;
  std::string operation = text(aws, "operation");
  if (!operation.empty()) out += " " + operation;
  if (number(aws, "attempt") > 0) out += ", attempt " + to_line(member(aws, "attempt"));
  return out;
}

std::string outcome_in_words(const Json& connection) {
  std::string outcome = text(connection, "outcome");
  if (outcome == "passthrough") outcome = "passed through";
  std::string reason = text(connection, "reason");
  return reason.empty() ? outcome : outcome + ": " + reason;
}

std::string flow_title(const Terminal& terminal) {
  std::string title = pad("TIME", kTime) + "  " + pad_left("ID", kId) + "  " + pad("WHO", kWho) + "  " +
                      pad("METHOD", kMethod) + "  " + pad("HOST AND PATH", url_width(terminal, 1)) + "  " +
                      pad("STATUS", kStatus) + "  " + pad_left("TOOK", kDuration) + "  NOTE";
  return terminal.paint(Color::Bold, title);
}

std::string flow_line(const Json& event, const Terminal& terminal, int64_t now_s) {
  Line line = line_of(event);
  std::string source = who(event);
  size_t url = url_width(terminal, line.note.size());
  if (terminal.width > 0) {
    source = cut(source, kWho);
    line.url = cut(line.url, url);
  }
  std::string out = terminal.paint(Color::Dim, pad(human_time(text(event, "time"), now_s), kTime)) + "  " +
                    pad_left(id_of(event), kId) + "  " + pad(source, kWho) + "  " + pad(line.method, kMethod) + "  " +
                    pad(line.url, url) + "  " + terminal.paint(line.status_color, pad(line.status, kStatus)) + "  " +
                    pad_left(line.duration, kDuration);
  if (line.note.empty()) return out;
  size_t used = kTime + kId + kWho + kMethod + kStatus + kDuration + 14 + url;
  if (terminal.width > used) line.note = cut(line.note, terminal.width - used);
  return out + "  " + terminal.paint(line.note_color, line.note);
}

}  // namespace waylay::cli

#include "cli/session.h"

#include <ctime>
#include <ostream>

namespace waylay::cli {

Session::Session(const std::string& runtime_directory, Terminal where, std::ostream& standard_output,
                 std::ostream& standard_error)
    : api(runtime_directory + "/waylay.sock"),
      warden(runtime_directory + "/warden.sock"),
      terminal(where),
      out(standard_output),
      errors(standard_error) {}

int64_t Session::now_s() const {
  return std::time(nullptr);
}

int Session::complain(const Error& error) const {
  out.flush();
  errors << "waylay: " << error.message << "\n";
  bool local = error.side == Side::Local;
  if (local && (error.kind == ErrorKind::Unavailable || error.kind == ErrorKind::Permission)) return kUnreachable;
  return local && error.kind == ErrorKind::Invalid ? kUsage : kRefused;
}

int Session::misused(std::string_view message) const {
  errors << "waylay: " << message << "\n";
  return kUsage;
}

}  // namespace waylay::cli

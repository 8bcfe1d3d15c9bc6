// Braid, Apache-2.0.
//
// libcaf_core is not built with ThreadSanitizer, so the sanitizer does not see the mailbox hand a message from one
// thread to another and takes every message for a race. The first two say what the mailbox does. Suppressing reports
// with CAF in their stack instead would hide real races, since every handler is called by CAF. The third is for the end
// of an actor system. Without the sanitizer they are nothing.
#pragma once

#if defined(__SANITIZE_THREAD__)
#define BRAID_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BRAID_THREAD_SANITIZER 1
#endif
#endif

#ifdef BRAID_THREAD_SANITIZER
extern "C" void __tsan_acquire(void*);
extern "C" void __tsan_release(void*);
extern "C" void __tsan_ignore_thread_begin();
extern "C" void __tsan_ignore_thread_end();
#endif

namespace braid::detail {

/// Everything that this thread did until now ...
inline void sanitizer_release([[maybe_unused]] void* mailbox) {
#ifdef BRAID_THREAD_SANITIZER
  __tsan_release(mailbox);
#endif
}
/// ... is seen by a thread that calls this later.
inline void sanitizer_acquire([[maybe_unused]] void* mailbox) {
#ifdef BRAID_THREAD_SANITIZER
  __tsan_acquire(mailbox);
#endif
}

/// While one lives the sanitizer does not look at what this thread does. CAF's destructor of an actor system asks CAF's
/// own servers, on CAF's own threads, to end, and reads their answers: messages through mailboxes that are not ours.
/// Only where no other thread of ours runs any more.
class SanitizerIgnores {
 public:
#ifdef BRAID_THREAD_SANITIZER
  SanitizerIgnores() {
    __tsan_ignore_thread_begin();
  }
  ~SanitizerIgnores() {
    __tsan_ignore_thread_end();
  }
#else
  SanitizerIgnores() {}
#endif
  SanitizerIgnores(const SanitizerIgnores&) = delete;
  SanitizerIgnores& operator=(const SanitizerIgnores&) = delete;
};

}  // namespace braid::detail

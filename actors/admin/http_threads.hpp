// Braid, Apache-2.0.
//
// A few threads and a short queue of work for them. Whoever brings more than the queue takes has to wait, which for an
// accepting thread means that further connections stay in the kernel's bounded backlog.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace braid {

class HttpThreads {
 public:
  HttpThreads(std::size_t threads, std::size_t max_waiting) : max_waiting_(max_waiting) {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
  }
  ~HttpThreads() { stop(); }

  void add(std::function<void()> work) {
    std::unique_lock lock(mutex_);
    space_.wait(lock, [&] { return waiting_.size() < max_waiting_; });
    waiting_.push_back(std::move(work));
    work_.notify_one();
  }

  /// Does what waits, then joins the threads.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    work_.notify_all();
    for (auto& thread : threads_)
      if (thread.joinable()) thread.join();
  }

 private:
  void run() {
    while (true) {
      std::function<void()> work;
      {
        std::unique_lock lock(mutex_);
        work_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        work = std::move(waiting_.front());
        waiting_.pop_front();
      }
      space_.notify_one();
      work();
    }
  }

  const std::size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable work_, space_;
  std::deque<std::function<void()>> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace braid

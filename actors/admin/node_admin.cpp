// Braid, Apache-2.0.
#include "actors/admin/node_admin.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <tuple>

#include "actors/amqp/definitions/policy.hpp"
#include "runtime/pinned.hpp"

namespace braid {

namespace {
constexpr auto kPatience = std::chrono::seconds(10);
/// More partitions than this are not asked one by one for a description.
constexpr std::size_t kMaxDescribed = 1000;

TopicInfo info_of(const Topic& topic) {
  return {topic.name, topic.id, static_cast<std::int32_t>(topic.partitions.size()), topic.internal, topic.config};
}
PolicyInfo info_of(const amqp::DefinePolicy& policy) {
  PolicyInfo info{policy.vhost,    policy.name, policy.pattern,    std::string(amqp::name_of(policy.apply_to)),
                  policy.priority, {},          policy.of_operator};
  for (const amqp::Field& field : amqp::Table(policy.definition.view())) {
    auto& value = info.definition[std::string(field.name)];
    if (field.value.is_text())
      value = std::string(field.value.as_text());
    else
      value = field.value.as_integer();
  }
  return info;
}
AdminError error_of(const amqp::TopologyError& refused) {
  return {refused.code == amqp::ReplyCode::internal_error ? Errc::unknown_outcome : Errc::invalid_setting,
          refused.text};
}
AdminError error_of(Errc code, std::string text) {
  return {code, text.empty() ? std::string(to_string(code)) : text};
}
}  // namespace

class AdminAgent : public Pinned<caf::event_based_actor> {
 public:
  using Pinned::Pinned;
  const char* name() const override { return "admin-agent"; }

 protected:
  caf::behavior make_behavior() override {
    // It takes no messages; its work comes through `enter`.
    return {[](const Wake&) {}};
  }
};

NodeAdmin::NodeAdmin(Services& services) : services_(services), agent_(spawn_on<AdminAgent>(services.loop)) {}

template <class Answer, class Ask>
Result<Answer, AdminError> NodeAdmin::call(Ask ask_agent) {
  using Reply = Result<Answer, AdminError>;
  auto promise = std::make_shared<std::promise<Reply>>();
  auto future = promise->get_future();
  services_.loop.post([agent = agent_, promise, ask_agent = std::move(ask_agent)] {
    auto* self = static_cast<AdminAgent*>(caf::actor_cast<caf::abstract_actor*>(agent));
    self->enter([&] { ask_agent(self, [promise](Reply reply) { promise->set_value(std::move(reply)); }); });
  });
  if (future.wait_for(kPatience) != std::future_status::ready)
    return Unexpected{AdminError{Errc::timed_out, "the broker did not answer in time"}};
  return future.get();
}

Result<TopicInfo, AdminError> NodeAdmin::create_topic(const NewTopicRequest& request) {
  return call<TopicInfo>([this, request](AdminAgent* self, auto reply) {
    CreateTopics create;
    NewTopic topic;
    topic.name = request.name;
    topic.partitions = request.partitions.value_or(services_.settings.kafka_protocol.default_partitions);
    topic.config = request.config;
    create.topics.push_back(std::move(topic));
    ask(
        self, services_.catalog, std::move(create),
        [reply](const TopicsApplied& applied) {
          if (applied.error != Errc::none) return reply(Unexpected{error_of(applied.error, applied.reason)});
          const auto& outcome = applied.topics.at(0);
          if (outcome.error != Errc::none) return reply(Unexpected{error_of(outcome.error, outcome.reason)});
          reply(info_of(*outcome.topic));
        },
        [reply](caf::error) {
          reply(Unexpected{AdminError{Errc::shutting_down, "the broker stops"}});
        });
  });
}

Outcome<AdminError> NodeAdmin::delete_topic(const std::string& name) {
  return call<std::monostate>([this, name](AdminAgent* self, auto reply) {
    DeleteTopics remove;
    remove.topics.push_back({name, {}});
    ask(
        self, services_.catalog, std::move(remove),
        [reply](const TopicsApplied& applied) {
          if (applied.error != Errc::none) return reply(Unexpected{error_of(applied.error, applied.reason)});
          const auto& outcome = applied.topics.at(0);
          if (outcome.error != Errc::none) return reply(Unexpected{error_of(outcome.error, outcome.reason)});
          reply(ok);
        },
        [reply](caf::error) {
          reply(Unexpected{AdminError{Errc::shutting_down, "the broker stops"}});
        });
  });
}

Result<std::vector<TopicInfo>, AdminError> NodeAdmin::list_topics(const std::string& after, std::size_t limit) {
  return call<std::vector<TopicInfo>>([this, after, limit](AdminAgent*, auto reply) {
    std::vector<TopicRef> topics;
    services_.directory.for_each([&](const TopicRef& topic) {
      if (topic->name > after) topics.push_back(topic);
    });
    const auto count = std::min(limit, topics.size());
    std::partial_sort(topics.begin(), topics.begin() + static_cast<std::ptrdiff_t>(count), topics.end(),
                      [](const TopicRef& a, const TopicRef& b) { return a->name < b->name; });
    std::vector<TopicInfo> infos;
    for (std::size_t i = 0; i < count; ++i) infos.push_back(info_of(*topics[i]));
    reply(std::move(infos));
  });
}

Result<TopicDescription, AdminError> NodeAdmin::describe_topic(const std::string& name) {
  return call<TopicDescription>([this, name](AdminAgent* self, auto reply) {
    const auto topic = services_.directory.find(name);
    if (!topic) return reply(Unexpected{AdminError{Errc::unknown_topic, "there is no topic '" + name + "'"}});
    auto description = std::make_shared<TopicDescription>();
    description->topic = info_of(*topic);
    description->settings = describe_topic_config(topic->config, services_.settings.topic_defaults,
                                                  services_.directory.settings()->topic_defaults);
    const auto count = std::min(topic->partitions.size(), kMaxDescribed);
    description->partitions.resize(count);
    auto left = std::make_shared<std::size_t>(count + 1);
    auto failure = std::make_shared<Errc>(Errc::none);
    auto one_less = [description, left, failure, reply] {
      if (--*left != 0) return;
      if (*failure != Errc::none) return reply(Unexpected{error_of(*failure, {})});
      reply(std::move(*description));
    };
    for (std::size_t i = 0; i < count; ++i)
      services_.partitions.request(self, topic->partitions[i].id, DescribeLog{},
                                   [description, i, failure, one_less](const LogDescription& log) {
                                     if (log.error != Errc::none) *failure = log.error;
                                     description->partitions[i] = {PartitionIndex(static_cast<std::int32_t>(i)),
                                                                   log.log_start, log.high_watermark, log.bytes};
                                     one_less();
                                   });
    one_less();
  });
}

Result<bool, AdminError> NodeAdmin::create_vhost(const std::string& name) {
  return call<bool>([this, name](AdminAgent* self, auto reply) {
    const bool is_new = services_.amqp.find(name) == nullptr;
    ask(
        self, services_.amqp_definitions, amqp::DefineVhost{name},
        [reply, is_new](const amqp::Defined& defined) {
          if (defined.refusal) return reply(Unexpected{error_of(*defined.refusal)});
          reply(is_new);
        },
        [reply](caf::error) {
          reply(Unexpected{AdminError{Errc::shutting_down, "the broker stops"}});
        });
  });
}

Result<bool, AdminError> NodeAdmin::delete_vhost(const std::string& name) {
  return call<bool>([this, name](AdminAgent* self, auto reply) {
    if (!services_.amqp.find(name)) return reply(false);
    ask(
        self, services_.amqp_definitions, amqp::DropVhost{name},
        [reply](const amqp::Defined& defined) {
          if (defined.refusal) return reply(Unexpected{error_of(*defined.refusal)});
          reply(true);
        },
        [reply](caf::error) {
          reply(Unexpected{AdminError{Errc::shutting_down, "the broker stops"}});
        });
  });
}

Result<Policies, AdminError> NodeAdmin::list_policies(bool of_operator) {
  return call<Policies>([this, of_operator](AdminAgent*, auto reply) {
    Policies all;
    services_.amqp.for_each([&](const amqp::VhostView& vhost) {
      all.vhosts.push_back(vhost.name());
      for (const auto& [name, policy] : vhost.policies(of_operator))
        all.policies.push_back(info_of(policy->definition()));
    });
    std::sort(all.vhosts.begin(), all.vhosts.end());
    std::sort(all.policies.begin(), all.policies.end(), [](const PolicyInfo& a, const PolicyInfo& b) {
      return std::tie(a.vhost, a.name) < std::tie(b.vhost, b.name);
    });
    reply(std::move(all));
  });
}

Result<bool, AdminError> NodeAdmin::set_policy(const PolicyInfo& policy) {
  amqp::DefinePolicy request{policy.vhost, policy.name, policy.pattern, {}, policy.priority, {}, policy.of_operator};
  const auto target = amqp::policy_target(policy.apply_to);
  if (!target)
    return Unexpected{AdminError{Errc::invalid_setting,
                                 policy.apply_to == "streams"
                                     ? "a stream is a topic, and its limits are the topic's own settings"
                                     : "'apply-to': expected queues, classic_queues, quorum_queues, exchanges or all, "
                                       "not '" +
                                           policy.apply_to + "'"}};
  request.apply_to = *target;
  amqp::TableWriter definition;
  for (const auto& [name, value] : policy.definition) {
    if (name.size() > 255) return Unexpected{AdminError{Errc::invalid_setting, "a name in the definition is too long"}};
    if (const auto* text = std::get_if<std::string>(&value))
      definition.put(name, *text);
    else
      definition.put(name, std::get<std::int64_t>(value));
  }
  request.definition = Bytes::copy(definition.table().encoded());
  return call<bool>([this, request](AdminAgent* self, auto reply) {
    const auto vhost = services_.amqp.find(request.vhost);
    const bool is_new = !vhost || !vhost->policies(request.of_operator).contains(request.name);
    ask(
        self, services_.amqp_definitions, request,
        [reply, is_new](const amqp::Defined& defined) {
          if (defined.refusal) return reply(Unexpected{error_of(*defined.refusal)});
          reply(is_new);
        },
        [reply](caf::error) {
          reply(Unexpected{AdminError{Errc::shutting_down, "the broker stops"}});
        });
  });
}

Result<bool, AdminError> NodeAdmin::delete_policy(const std::string& vhost, const std::string& name, bool of_operator) {
  return call<bool>([this, vhost, name, of_operator](AdminAgent* self, auto reply) {
    ask(
        self, services_.amqp_definitions, amqp::DropPolicy{vhost, name, of_operator},
        [reply](const amqp::Defined& defined) {
          if (!defined.refusal) return reply(true);
          if (defined.refusal->code == amqp::ReplyCode::not_found) return reply(false);
          reply(Unexpected{error_of(*defined.refusal)});
        },
        [reply](caf::error) {
          reply(Unexpected{AdminError{Errc::shutting_down, "the broker stops"}});
        });
  });
}

Health NodeAdmin::health() {
  // A loop that does not turn does not answer; a disk that refuses writes shows in the count of failures.
  auto answered = call<std::vector<std::string>>([this](AdminAgent*, auto reply) {
    std::vector<std::string> problems;
    std::uint64_t failed_writes = 0;
    for (const auto* journal : services_.journals)
      if (journal) failed_writes += journal->statistics().failed_writes;
    if (std::exchange(failed_writes_, failed_writes) != failed_writes)
      problems.push_back("writes to the disk have failed since the last look: see the log");
    reply(std::move(problems));
  });
  if (!answered) return {{answered.error().text}};
  return {std::move(*answered)};
}

}  // namespace braid

#!/bin/sh
# Braid, Apache-2.0.
#
# The Go client's own tests, integration tests among them, from where Debian puts its sources: compiled by Debian's Go, which
# needs no network for them, into the folder that is named, and run against the broker.
set -e
cache=$1
mkdir -p "$cache"
GO111MODULE=off GOFLAGS='' GOPATH=/usr/share/gocode GOCACHE=$cache/cache \
  /usr/bin/go test -c -tags integration -o "$cache/amqp091.test" github.com/rabbitmq/amqp091-go
cd "$cache"
# These three look for a broker that calls itself RabbitMQ, and leave their connection open when it does not; the suite
# ends by looking for what was left open. What they test is tested through pika.
left_out='TestIntegrationRecoverNotImplemented|TestRabbitMQQueueTTLGet|TestRabbitMQQueueNackMultipleRequeue'
tests=$(./amqp091.test -test.list '.*' | grep -E '^(Test|Example)' | grep -v -x -E "$left_out" | paste -s -d '|')
AMQP_URL="amqp://guest:guest@$BRAID_HOST:$BRAID_AMQP/" exec ./amqp091.test -test.v -test.timeout 280s -test.run "^($tests)\$"

#!/bin/sh
# Braid, Apache-2.0.
#
# The Go client's own tests, integration tests among them, from where Debian puts its sources: compiled by Debian's Go, which
# needs no network for them, into the folder that is named, and run against the broker. That has to call itself RabbitMQ
# (amqp.product): three of them test nothing else, and leave their connection open, which the suite looks for at its end.
set -e
cache=$1
mkdir -p "$cache"
GO111MODULE=off GOFLAGS='' GOPATH=/usr/share/gocode GOCACHE=$cache/cache \
  /usr/bin/go test -c -tags integration -o "$cache/amqp091.test" github.com/rabbitmq/amqp091-go
cd "$cache"
export AMQP_URL="amqp://guest:guest@$BRAID_HOST:$BRAID_AMQP/"
run() {
  ./amqp091.test -test.v -test.timeout 280s "$@" 2>&1
}
if run >output; then exec cat output; fi
cat output
# Some of them give an answer a millisecond, or ask ten times without a pause: what failed has to pass by itself.
failed=$(sed -n 's/^--- FAIL: \([A-Za-z0-9_]*\) .*/\1/p' output | paste -s -d '|')
[ -n "$failed" ] && run -test.run "^($failed)\$"

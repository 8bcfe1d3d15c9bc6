#!/bin/sh
# Braid, Apache-2.0.
#
# Compiles the Java tests against the jars of the cache and runs them, or those of the named classes.
#   run.sh CACHE [CLASS...]
set -eu
jars="$1/jars/*"
shift
source=$(dirname "$0")/braid
classes=$(mktemp -d)
trap 'rm -rf "$classes"' EXIT
javac -nowarn -Xlint:-options -cp "$jars" -d "$classes" "$source"/*.java
select=""
for name in "$@"; do select="$select --select-class=braid.$name"; done
[ -n "$select" ] || select="--scan-classpath=$classes"
# shellcheck disable=SC2086 # $select is a list of words
java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -cp "$classes:$jars" \
  org.junit.platform.console.ConsoleLauncher execute --disable-banner --disable-ansi-colors --details=tree --fail-if-no-tests $select

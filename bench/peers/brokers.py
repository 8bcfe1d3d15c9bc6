# Braid, Apache-2.0.
#
# The brokers that are compared: how each is got, started on a port of its own over a data directory of its own, and with
# what settings. Where two protocols are spoken ("across"), MQTT is at the port and Kafka at the next one. A peer is given the settings that a careful operator would give it for the workload, never worse ones
# than Braid's; what is set is printed in the report.
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build/release"
START_TIMEOUT_S = 90
STOP_TIMEOUT_S = 30


class Absent(Exception):
    """A broker that cannot be had on this machine, and why."""


def accepts(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def debian(program, package):
    """The path of a program, whose package is installed when it is missing. Its service is not started."""
    found = shutil.which(program, path="/usr/sbin:/usr/bin:/usr/local/bin:" + os.environ.get("PATH", ""))
    if found:
        return found
    if os.geteuid() != 0 and not shutil.which("sudo"):
        raise Absent(f"{program} is not installed, and installing {package} needs root")
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    # Debian starts a service when its package is installed, unless this program says no.
    policy = pathlib.Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        subprocess.run([*sudo, "sh", "-c", f"printf '#!/bin/sh\\nexit 101\\n' >{policy}; chmod +x {policy}"], check=True)
    try:
        print(f"peers: installing {package}", flush=True)
        subprocess.run([*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-q",
                        "--no-install-recommends", package],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except subprocess.CalledProcessError as error:
        raise Absent(f"the package {package} could not be installed") from error
    finally:
        if ours:
            subprocess.run([*sudo, "rm", "-f", str(policy)], check=False)
    return shutil.which(program, path="/usr/sbin:/usr/bin") or program


def version_of(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0].strip() if lines else "unknown"


class Broker:
    """One kind of broker. `durability` is a word of Braid: memory, os (synced in the background) or sync."""
    name = ""
    listens_itself = True

    def __init__(self):
        self.process = None
        self.log = None
        self.started_in_ms = 0.0

    def prepare(self):
        """Gets what the broker needs; raises Absent. Returns its version."""
        raise NotImplementedError

    def command(self, directory, port, protocol, durability):
        """The command line and the environment's additions."""
        raise NotImplementedError

    def settings(self, protocol, durability):
        """What the report says of it: durability first."""
        raise NotImplementedError

    def topic_config(self, _durability):
        """Settings of a Kafka topic, a=b,c=d."""
        return ""

    def after_start(self, directory, port, protocol, durability):
        """What has to be done once it listens."""

    def roots(self):
        """The processes that it is made of, each with whatever it started."""
        return [self.process.pid]

    def ended(self):
        return self.process.poll() is not None

    def start(self, directory, port, protocol, durability, core):
        command, environment = self.command(directory, port, protocol, durability)
        self.log = directory / "log"
        if self.listens_itself and accepts(port):
            raise RuntimeError(f"somebody else listens on port {port}, and would be measured instead of {self.name}")
        began = time.monotonic()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(["taskset", "-c", core, *map(str, command)], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, cwd=directory, start_new_session=True,
                                            env=dict(os.environ, **environment))
        while not accepts(port):
            if self.process.poll() is not None or time.monotonic() - began > START_TIMEOUT_S:
                raise RuntimeError(f"{self.name} did not start:\n" + self.log.read_text(errors="replace")[-3000:])
            time.sleep(0.002)
        self.started_in_ms = (time.monotonic() - began) * 1000
        self.after_start(directory, port, protocol, durability)

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            pass
        # It was made a process group of its own: what it left behind ends with it.
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process = None


class Braid(Broker):
    name = "braid"
    binary = BUILD / "braid"

    def prepare(self):
        revision = version_of("git", "-C", ROOT, "describe", "--always", "--dirty")
        return f"{version_of(self.binary, 'version')}, {revision}"

    def command(self, directory, port, protocol, durability):
        arguments = [self.binary, "serve", "--set", f"storage.path={directory}/data", "--set", "node.loops=1",
                     "--set", f"topic_defaults.durability={durability}", "--set", "listeners.http.port=0"]
        ports = {"mqtt": port, "kafka": port + 1} if protocol == "across" else {protocol: port}
        for name in ("mqtt", "kafka", "amqp"):
            arguments += ["--set", f"listeners.{name}.port={ports.get(name, 0)}"]
        return arguments, {}

    def after_start(self, directory, port, protocol, durability):
        # MQTT names belong to a topic only when there is one; without it they are live traffic, which is not stored.
        if protocol != "mqtt" or durability == "memory":
            return
        http = self.port_of("http")
        subprocess.run([str(self.binary), "topic", "create", "bench", "--partitions", "1", "--broker",
                        f"127.0.0.1:{http}", "--config", f"durability={durability}"],
                       check=True, stdout=subprocess.DEVNULL)

    def port_of(self, listener):
        """What its log says; one listener may accept before the next one is there."""
        until = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < until:
            for line in self.log.read_text().splitlines():
                _, found, rest = line.partition(f" {listener} on 127.0.0.1:")
                if found:
                    return int("".join(c if c.isdigit() else " " for c in rest).split()[0])
            time.sleep(0.002)
        raise RuntimeError(f"braid did not say where its {listener} listens")

    def topic_config(self, durability):
        return f"durability={durability}"

    def settings(self, protocol, durability):
        stored = {"memory": "not stored", "os": "durability os: written, synced every second",
                  "sync": "durability sync: synced before the acknowledgement"}[durability]
        if protocol == "mqtt" and durability == "memory":
            stored = "live traffic, no topic: in memory"
        if protocol == "amqp" and durability == "memory":
            stored = "in memory; what a queue has past 4 MiB is written, unsynced"
        return f"{stored}; one event loop, all else default"


class Mosquitto(Broker):
    name = "mosquitto"

    def prepare(self):
        self.binary = debian("mosquitto", "mosquitto")
        return version_of(self.binary, "-h")

    def command(self, directory, port, protocol, durability):
        if durability != "memory":
            raise RuntimeError("Mosquitto keeps messages in memory")
        config = directory / "mosquitto.conf"
        user = "user root\n" if os.geteuid() == 0 else ""
        config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n"
                          "max_inflight_messages 1024\nmax_queued_messages 1000000\nlog_type error\n"
                          f"sys_interval 0\n{user}")
        return [self.binary, "-c", config], {}

    def settings(self, protocol, durability):
        return ("persistence false: in memory; set_tcp_nodelay true, max_inflight_messages 1024, "
                "max_queued_messages 1000000, log_type error, sys_interval 0")


class RabbitMQ(Broker):
    name = "rabbitmq"
    epmd_port = None

    def prepare(self):
        debian("rabbitmq-server", "rabbitmq-server")
        homes = sorted(pathlib.Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*"))
        if not homes:
            raise Absent("rabbitmq-server is installed, but not where Debian puts it")
        self.home = homes[-1]
        return "RabbitMQ " + self.home.name.rpartition("-")[2]

    def command(self, directory, port, protocol, durability):
        config = directory / "rabbitmq.conf"
        config.write_text(f"listeners.tcp.default = 127.0.0.1:{port}\nlog.console.level = warning\n"
                          "disk_free_limit.absolute = 50MB\n")
        (directory / "enabled_plugins").write_text("[].\n")
        self.epmd_port = port + 2000
        # Erlang's nodes find each other through epmd: one of its own, on a port of its own, ended with the broker.
        environment = {
            "HOME": str(directory), "RABBITMQ_NODENAME": f"bench{port}@localhost",
            "RABBITMQ_MNESIA_BASE": str(directory / "data"), "RABBITMQ_LOG_BASE": str(directory / "logs"),
            "RABBITMQ_LOGS": "-", "RABBITMQ_CONFIG_FILE": str(config), "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "enabled_plugins"), "RABBITMQ_PID_FILE": str(directory / "pid"),
            "RABBITMQ_DIST_PORT": str(port + 1000),
            "ERL_EPMD_PORT": str(self.epmd_port), "ERL_EPMD_ADDRESS": "127.0.0.1",
        }
        return [self.home / "sbin/rabbitmq-server"], environment

    def after_start(self, directory, port, protocol, durability):
        # It listens a little before its boot has ended.
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if "completed with" in self.log.read_text(errors="replace") or (directory / "pid").exists():
                return
            time.sleep(0.05)

    def stop(self):
        super().stop()
        # The name service puts itself out of every process group.
        if self.epmd_port:
            subprocess.run(["epmd", "-port", str(self.epmd_port), "-kill"], capture_output=True)

    def settings(self, protocol, durability):
        kept = ("transient messages, classic queues, not durable" if durability == "memory" else
                "durable classic queues, persistent messages: confirmed after its batched fsync")
        return f"{kept}; no plugins, log level warning, all else default"


class Nats(Broker):
    name = "nats"

    def prepare(self):
        self.binary = debian("nats-server", "nats-server")
        return version_of(self.binary, "--version")

    def command(self, directory, port, protocol, durability):
        config = directory / "nats.conf"
        config.write_text(f'listen: "127.0.0.1:{port}"\njetstream {{ store_dir: "{directory}/data" }}\n')
        return [self.binary, "-c", config], {}

    def settings(self, protocol, durability):
        return "JetStream, file storage, synced in the background (every 2 minutes, its default); all else default"


class Kafka(Broker):
    name = "kafka"
    jars = ROOT / "build/clients/java/jars"

    def prepare(self):
        if not shutil.which("java"):
            raise Absent("there is no Java")
        prepare = ROOT / "tests/clients/prepare.py"
        done = subprocess.run(["/usr/bin/python3", prepare, "java", "--cache", ROOT / "build/clients"],
                              capture_output=True, text=True)
        found = sorted(self.jars.glob("kafka_2.13-*.jar"))
        if done.returncode != 0 or not found:
            raise Absent("its jars could not be brought: " + (done.stdout + done.stderr).strip().splitlines()[-1])
        return "Apache Kafka " + found[-1].stem.rpartition("-")[2]

    def java(self):
        return ["java", "-Xms1G", "-Xmx1G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
                "-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent",
                "-Djava.awt.headless=true", "-cp", f"{self.jars}/*"]

    def command(self, directory, port, protocol, durability):
        config = directory / "server.properties"
        config.write_text(
            "process.roles=broker,controller\nnode.id=1\n"
            f"controller.quorum.bootstrap.servers=127.0.0.1:{port + 1}\n"
            f"listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{port + 1}\n"
            f"advertised.listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{port + 1}\n"
            "inter.broker.listener.name=PLAINTEXT\ncontroller.listener.names=CONTROLLER\n"
            f"log.dirs={directory}/data\nnum.partitions=1\noffsets.topic.replication.factor=1\n"
            "transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n"
            "group.initial.rebalance.delay.ms=0\n")
        subprocess.run([*self.java(), "kafka.tools.StorageTool", "format", "--standalone", "--cluster-id",
                        "4L6g3nShT-eMCtK--X86sw", "--config", str(config)], check=True, capture_output=True)
        return [*self.java(), "kafka.Kafka", config], {}

    def topic_config(self, durability):
        return "flush.messages=1" if durability == "sync" else ""

    def settings(self, protocol, durability):
        synced = ("flush.messages=1: synced before the acknowledgement" if durability == "sync" else
                  "synced by the operating system, its default")
        return f"{synced}; KRaft, one node, -Xms1G -Xmx1G, G1 as in its start script, all else default"


class Bridged(Broker):
    """Mosquitto, and behind it Kafka, with a bridge of ours between them: what one has who wants both protocols."""
    name = "mosquitto+kafka"
    binary = BUILD / "bench/peers/bench_bridge"
    listens_itself = False  # its parts do, and look for themselves

    def __init__(self):
        super().__init__()
        self.parts = {"mqtt": Mosquitto(), "kafka": Kafka()}

    def prepare(self):
        return ", ".join(part.prepare() for part in self.parts.values()) + ", bench/peers/bridge.cpp"

    def command(self, directory, port, protocol, durability):
        return [self.binary, "--port", port, "--kafka-port", port + 1], {}

    def start(self, directory, port, protocol, durability, core):
        for at, (name, part) in enumerate(self.parts.items()):
            part.prepare()
            own = directory / name
            own.mkdir()
            part.start(own, port + at, name, "memory" if name == "mqtt" else durability, core)
        super().start(directory, port, protocol, durability, core)
        self.started_in_ms += sum(part.started_in_ms for part in self.parts.values())

    def after_start(self, directory, port, protocol, durability):
        deadline = time.monotonic() + START_TIMEOUT_S
        while '"ready"' not in self.log.read_text(errors="replace"):
            if self.ended() or time.monotonic() > deadline:
                raise RuntimeError("the bridge did not subscribe:\n" + self.log.read_text(errors="replace")[-3000:])
            time.sleep(0.01)

    def roots(self):
        return [*super().roots(), *(root for part in self.parts.values() for root in part.roots())]

    def ended(self):
        return super().ended() or any(part.ended() for part in self.parts.values())

    def stop(self):
        for broker in (super(), *self.parts.values()):
            broker.stop()

    def topic_config(self, durability):
        return self.parts["kafka"].topic_config(durability)

    def settings(self, protocol, durability):
        return ("Mosquitto (" + self.parts["mqtt"].settings("mqtt", "memory") + "); bridge: QoS 1, session kept, PUBACK when "
                "Kafka has acknowledged, idempotent producer, acks=all, linger 1 ms; Kafka ("
                + self.parts["kafka"].settings("kafka", durability) + "); CPU and memory are those of the three together")


BROKERS = {broker.name: broker for broker in (Braid, Mosquitto, RabbitMQ, Nats, Kafka, Bridged)}

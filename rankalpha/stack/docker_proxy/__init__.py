"""Stands between Airflow and the Docker engine's socket: whoever has that socket is root on its machine.

`python -m rankalpha.stack.docker_proxy` listens in a private network; RANKALPHA_DOCKER_URL of the schedulers
and workers leads to it, and only the proxy mounts the socket. What a stage needs is let through, each thing
in its one allowed form: look at an image, network or volume; create a container with limits, a stage's
network and stages' volumes, a read-only file system and a bounded /tmp, and without capabilities; start,
follow, stop and remove containers that carry our label. Of a stage's volume it also lets the folder of a
batch or version be mounted, at its own place in the volume. All else is refused with status 403 and logged.
Nothing of a request is passed on as it came: the proxy writes a new one for the engine, from parts that it
has checked.

What it does not stop, because it cannot tell a stage from somebody who has taken over a worker:

- Any image on the engine can be run as its own user, with any command, in any number of containers and with
  limits of any size. That can wear the machine out; it gives neither its files nor other containers.
- A container is the stage that its label names, so any image can have the capabilities that some stage
  declares (the reference stages: none). NET_RAW and NET_ADMIN cannot be declared. The same holds for a file
  system that can be written to.
- Volumes can be filled, until the engine's disk is full; containers can be removed without the volumes of
  their results.
- The data volumes of all stages can be read and written, and their network be used.
- The stages' containers can be stopped and removed, and their environment, which holds their secrets, their
  output and their result be read.
- The configuration of any image on the engine can be read.
- It asks nobody who they are: no container but schedulers, workers and itself may be in its network, so the
  stages' network cannot be the same.
- A flaw in the kernel or the container runtime is a way out of a container, here as anywhere.
"""

# shellcheck shell=bash
# Small volumes for the test of full disks: one in memory, one that writes in place, one that
# copies on write.  Needs lib.sh, root and the right to mount; where there is none of these,
# or no tool, the volume is missing and the test says so.

volume_mb=200

# volumes_mount DIR: mounts what can be mounted, each in a directory of DIR named by its kind
volumes_mount() {
  local dir=$1 kind
  mkdir -p "$dir"
  [ "$(id -u)" = 0 ] || return 0
  for kind in tmpfs ext4 btrfs; do
    mkdir "$dir/$kind"
    if volume_mount_one "$dir" "$kind" >"$dir/$kind.log" 2>&1; then
      give_to_server "$dir/$kind"
      chmod 700 "$dir/$kind"
    else
      rmdir "$dir/$kind"
    fi
  done
}

volume_mount_one() {
  local dir=$1 kind=$2
  if [ "$kind" = tmpfs ]; then
    mount -t tmpfs -o "size=${volume_mb}m" none "$dir/$kind"
    return
  fi
  truncate -s "${volume_mb}M" "$dir/$kind.image" &&
    "mkfs.$kind" -q "$dir/$kind.image" &&
    mount -t "$kind" -o loop "$dir/$kind.image" "$dir/$kind"
}

# volumes_unmount DIR: no error where nothing is mounted
volumes_unmount() {
  local kind
  for kind in tmpfs ext4 btrfs; do
    ! mountpoint -q "$1/$kind" 2>/dev/null || umount "$1/$kind"
  done
}

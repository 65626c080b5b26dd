"""The disks that a power cut may leave, from the log of shim.c.

A file system keeps for sure only what was flushed: the bytes of a file after
fsync() of it, a name after fsync() of its directory, everything after
syncfs(). Of the rest any part may be there: a write that is missing, torn at
a page or zeroed, a name that came or did not. Two things a rename promises
all the same: the old name does not go before the new one is there, and what
replaces another file does so in one step.

    disk = Disk(before, below)       # the tree as it was, a path to copy
    for operation in read_log(path):
        disk.apply(operation)
    disk.pending()                   # what a cut now may take back
    disk.write(target, dropped)      # the tree without these

SQLite's shared memory (-shm) is left out: it does not survive a reboot."""

import os
from collections import namedtuple

Operation = namedtuple("Operation", "name args data")
PAGE = 4096


def read_log(path):
    operations = []
    with open(path, "rb") as log:
        while True:
            line = log.readline()
            if not line.endswith(b"\n"):
                return operations
            *words, length = line[:-1].decode("utf-8", "surrogateescape") \
                .split("\t")
            data = log.read(int(length))
            if len(data) < int(length):
                return operations
            operations.append(Operation(words[0], words[1:], data))


class File:
    """writes: those that no flush covers yet."""

    def __init__(self, content=b""):
        self.content = content
        self.writes = []


class Folder:
    """durable and now: name -> File or Folder."""

    def __init__(self):
        self.durable, self.now = {}, {}


# A write: data None cuts the file to that length.
Write = namedtuple("Write", "serial offset data")


class Change:
    """A name that comes or goes (node None)."""

    def __init__(self, folder, name, node, needs=None):
        self.folder, self.name, self.node = folder, name, node
        self.needs = needs


class Disk:
    def __init__(self, before, below):
        self.below = below
        self.changes = []       # of names, in their order, not flushed
        self.files = {}         # inode -> File
        self.serial = 0
        self.root = self._read(before)

    def _read(self, path):
        folder = Folder()
        for entry in os.scandir(path):
            if entry.is_dir(follow_symlinks=False):
                node = self._read(entry.path)
            elif entry.inode() in self.files:
                node = self.files[entry.inode()]        # a second name
            else:
                with open(entry.path, "rb") as file:
                    node = self.files[entry.inode()] = File(file.read())
            folder.durable[entry.name] = folder.now[entry.name] = node
        return folder

    def _node(self, path):
        node = self.root
        for name in path[len(self.below):].split("/"):
            if name:
                node = node.now.get(name) if isinstance(node, Folder) else None
        return node

    def _change(self, path, node, needs=None):
        change = Change(self._node(os.path.dirname(path)),
                        os.path.basename(path), node, needs)
        put(change.folder.now, change)
        self.changes.append(change)
        return change

    def apply(self, operation):
        self.serial += 1
        getattr(self, "_" + operation.name)(operation, *operation.args)

    def _create(self, operation, inode, path):
        self.files[inode] = File()
        self._change(path, self.files[inode])

    def _open(self, operation, inode, path):
        self.files[inode] = self._node(path)

    def _opentrunc(self, operation, inode, path):
        self._open(operation, inode, path)
        self._truncate(operation, inode, 0)

    def _write(self, operation, inode, offset):
        file = self.files.get(inode)
        if isinstance(file, File):
            file.writes.append(Write(self.serial, int(offset),
                                     operation.data))

    def _truncate(self, operation, inode, length):
        file = self.files.get(inode)
        if isinstance(file, File):
            file.writes.append(Write(self.serial, int(length), None))

    def _fsync(self, operation, inode, offset):
        file = self.files.get(inode)
        if isinstance(file, File):
            file.content, file.writes = content(file), []

    def _fsyncdir(self, operation, path, _):
        folder = self._node(path)
        self._flush_names([c for c in self.changes if c.folder is folder])

    def _syncfs(self, operation, inode, offset):
        for file in self._all_files():
            file.content, file.writes = content(file), []
        self._flush_names(list(self.changes))

    def _flush_names(self, flushed):
        # A name that is gone for good takes along what came instead.
        for change in flushed:
            if change.needs in self.changes and change.needs not in flushed:
                flushed.append(change.needs)
        for change in self.changes:
            if change in flushed:
                put(change.folder.durable, change)
        self.changes = [c for c in self.changes if c not in flushed]

    def _rename(self, operation, old, new):
        node = self._node(old)
        came = self._change(new, node)
        self._change(old, None, came)

    def _link(self, operation, old, new):
        self._change(new, self._node(old))

    def _unlink(self, operation, path, _):
        self._change(path, None)

    _rmdir = _unlink

    def _mkdir(self, operation, path, _):
        self._change(path, Folder())

    def _all_files(self):
        found = {}

        def walk(folder):
            for node in (*folder.durable.values(), *folder.now.values()):
                if isinstance(node, Folder):
                    walk(node)
                elif id(node) not in found:
                    found[id(node)] = node
        walk(self.root)
        for change in self.changes:
            if isinstance(change.node, File):
                found[id(change.node)] = change.node
        return list(found.values())

    # What a cut may do

    def pending(self):
        """Things that may be missing: names, and single writes."""
        return list(self.changes) + [
            write for file in self._all_files() for write in file.writes]

    def write(self, target, dropped, torn=None):
        """The tree without what was dropped; torn: what is there of a dropped
        write: its first page ("page"), or its room without its bytes
        ("zero")."""
        gone = {id(thing) for thing in dropped}
        came = [c for c in self.changes if id(c) not in gone and (
            c.needs not in self.changes or id(c.needs) not in gone)]

        def put_down(folder, path):
            os.makedirs(path, exist_ok=True)
            names = dict(folder.durable)
            for change in came:
                if change.folder is folder:
                    put(names, change)
            for name, node in names.items():
                there = os.path.join(path, name)
                if isinstance(node, Folder):
                    put_down(node, there)
                elif not name.endswith("-shm"):
                    with open(there, "wb") as out:
                        out.write(content(node, gone, torn))
        put_down(self.root, target)


def put(names, change):
    if change.node is None:
        names.pop(change.name, None)
    else:
        names[change.name] = change.node


def content(file, gone=(), torn=None):
    data = bytearray(file.content)
    for write in file.writes:
        piece = write.data
        if id(write) in gone:
            if piece is None or not torn:
                continue
            piece = piece[:PAGE] if torn == "page" else bytes(len(piece))
        if len(data) < write.offset:
            data.extend(bytes(write.offset - len(data)))
        if piece is None:
            del data[write.offset:]
        else:
            data[write.offset:write.offset + len(piece)] = piece
    return bytes(data)

using Moat.Collections;
using Moat.Host;

namespace Moat.Filesystems.GoferClient;

/// <summary>The donated descriptors of a tree that nobody changes. Those of files that were closed are kept for the next open, up to a number; the ones closed first go first. Any thread.</summary>
internal sealed class GoferDescriptors
{
    private const int MaxIdle = 128;

    private readonly Lock _lock = new();
    private IntrusiveList<GoferDescriptor, IdleLinks> _idle; // guarded by _lock, in the order in which they were closed
    private int _idleCount; // guarded by _lock

    /// <summary>Uses a file's descriptor, if it has one.</summary>
    public GoferDescriptor? TryUse(GoferInode inode)
    {
        lock (_lock)
        {
            return inode.Descriptor is { } descriptor ? UseLocked(descriptor) : null;
        }
    }

    /// <summary>Takes a descriptor over and uses it, or the one that another thread got meanwhile.</summary>
    public GoferDescriptor Add(GoferInode inode, int fd)
    {
        GoferDescriptor other;
        lock (_lock)
        {
            if (inode.Descriptor is null)
            {
                return inode.Descriptor = new GoferDescriptor(inode, fd) { Users = 1 };
            }

            other = UseLocked(inode.Descriptor);
        }

        HostMemory.Close(fd);
        return other;
    }

    /// <summary>Takes over a descriptor that nobody uses yet.</summary>
    public void AddIdle(GoferInode inode, int fd)
    {
        int surplus = fd;
        lock (_lock)
        {
            if (inode.Descriptor is null)
            {
                inode.Descriptor = new GoferDescriptor(inode, fd);
                surplus = IdleLocked(inode.Descriptor);
            }
        }

        Close(surplus);
    }

    /// <summary>Ends one use.</summary>
    public void Release(GoferDescriptor descriptor)
    {
        int surplus = -1;
        lock (_lock)
        {
            if (--descriptor.Users == 0)
            {
                surplus = IdleLocked(descriptor);
            }
        }

        Close(surplus);
    }

    /// <summary>Closes those that nobody uses.</summary>
    public void CloseIdle()
    {
        while (true)
        {
            GoferDescriptor oldest;
            lock (_lock)
            {
                if (_idle.First is not { } first)
                {
                    return;
                }

                oldest = first;
                RemoveIdleLocked(oldest);
                oldest.Inode.Descriptor = null;
            }

            HostMemory.Close(oldest.Fd);
        }
    }

    private static void Close(int fd)
    {
        if (fd >= 0)
        {
            HostMemory.Close(fd);
        }
    }

    // Keeps a descriptor; the one that has to go for it is the caller's to close, or -1.
    private int IdleLocked(GoferDescriptor descriptor)
    {
        descriptor.IsIdle = true;
        _idle.Add(descriptor);
        if (++_idleCount <= MaxIdle)
        {
            return -1;
        }

        GoferDescriptor oldest = _idle.First!;
        RemoveIdleLocked(oldest);
        oldest.Inode.Descriptor = null;
        return oldest.Fd;
    }

    private GoferDescriptor UseLocked(GoferDescriptor descriptor)
    {
        if (descriptor.IsIdle)
        {
            RemoveIdleLocked(descriptor);
        }

        descriptor.Users++;
        return descriptor;
    }

    private void RemoveIdleLocked(GoferDescriptor descriptor)
    {
        _idle.Remove(descriptor);
        _idleCount--;
        descriptor.IsIdle = false;
    }

    private readonly struct IdleLinks : IListLinks<GoferDescriptor>
    {
        public static ref ListLinks<GoferDescriptor> Of(GoferDescriptor item) => ref item.IdleLinks;
    }
}

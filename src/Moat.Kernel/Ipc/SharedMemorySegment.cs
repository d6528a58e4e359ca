using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Ipc;

/// <summary>A System V shared memory segment (shmget(2)). Its memory goes when it has been removed and nothing maps it any more.</summary>
public sealed class SharedMemorySegment : IpcObject, IMappable
{
    private readonly SentryKernel _kernel;
    private readonly IpcNamespace _ipc;
    private readonly MemoryPages _pages;
    private int _attached; // guarded by the table's lock
    private bool _isDoomed; // guarded by the table's lock

    /// <summary>A new segment.</summary>
    internal SharedMemorySegment(SentryKernel kernel, IpcNamespace ipc, int key, int pid, TaskCredentials creator, uint mode, ulong size)
        : base(key, creator, mode, kernel.Clock.RealtimeNs / Timespec.NanosecondsPerSecond)
    {
        _kernel = kernel;
        _ipc = ipc;
        _pages = new MemoryPages(kernel.MemoryFile);
        _pages.SetSize((long)AddressLayout.RoundUp(size));
        Size = size;
        CreatorPid = pid;
    }

    /// <summary>Bytes, as they were asked for.</summary>
    public ulong Size { get; }

    /// <summary>Who made it.</summary>
    public int CreatorPid { get; }

    /// <summary>Who attached or detached it last.</summary>
    public int LastPid { get; set; }

    /// <summary>When it was last attached, in seconds since 1970; 0 for never.</summary>
    public long AttachTime { get; set; }

    /// <summary>When it was last detached.</summary>
    public long DetachTime { get; private set; }

    /// <summary>How many mappings there are.</summary>
    public int Attached => _attached;

    /// <summary>SHM_DEST.</summary>
    public bool IsDoomed => _isDoomed;

    /// <summary>Bytes of pages that exist.</summary>
    public long ResidentBytes => _pages.AllocatedBytes;

    /// <summary>IPC_RMID: it goes now, or with its last mapping. With the table's lock held.</summary>
    public void Doom()
    {
        _isDoomed = true;
        Key = IpcTable.Private;
        DropIfUnused();
    }

    /// <inheritdoc/>
    public Result<MappablePages> Translate(ulong offset, ulong length, MemoryAccess access) => _pages.Translate(offset, length, access);

    /// <inheritdoc/>
    public Result<int> ReadAt(ulong offset, Span<byte> destination) => _pages.ReadAt(offset, destination);

    /// <inheritdoc/>
    public Result<int> WriteAt(ulong offset, ReadOnlySpan<byte> source) => _pages.WriteAt(offset, source);

    /// <inheritdoc/>
    public void AddMapping(MemoryManager memory, bool isWritable)
    {
        _pages.AddMapping(memory, isWritable);
        lock (_ipc.Segments.Lock)
        {
            _attached++;
        }
    }

    /// <inheritdoc/>
    public void RemoveMapping(MemoryManager memory, bool isWritable)
    {
        _pages.RemoveMapping(memory, isWritable);
        lock (_ipc.Segments.Lock)
        {
            _attached--;
            DetachTime = _kernel.Clock.RealtimeNs / Timespec.NanosecondsPerSecond;
            DropIfUnused();
        }
    }

    private void DropIfUnused()
    {
        if (!_isDoomed || _attached > 0)
        {
            return;
        }

        if (!IsRemoved)
        {
            _ipc.Remove(this);
        }

        _pages.Clear();
    }
}

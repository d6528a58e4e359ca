using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Kernel.Waiting;
using Moat.Linux;

namespace Moat.Syscalls.Files;

/// <summary>Several descriptors that a task waits for together.</summary>
internal sealed class PollSet(GuestTask task, int capacity) : IDisposable
{
    private readonly List<(FileDescription? File, IWaitable? Source, PollEvents Wanted, TaskWaitEntry? Entry)> _items = new(capacity);
    private readonly List<PollEvents> _results = new(capacity);

    /// <summary>Adds a descriptor; a negative one is passed over. False if it is not open.</summary>
    public bool Add(int fd, PollEvents wanted)
    {
        if (fd < 0)
        {
            _items.Add((null, null, 0, null));
            _results.Add(0);
            return true;
        }

        bool isOpen = task.Files.Get(fd).TryGet(out FileDescription? file, out _);
        _items.Add((file, file?.WaitableFor(task), wanted, null));
        _results.Add(isOpen ? 0 : PollEvents.POLLNVAL);
        return isOpen;
    }

    /// <summary>What the descriptor at an index has.</summary>
    public PollEvents ResultOf(int index) => _results[index];

    /// <summary>Waits until one is ready.</summary>
    /// <param name="deadlineNs">Until when.</param>
    /// <param name="ready">How many are.</param>
    public Errno Wait(long deadlineNs, out int ready)
    {
        ready = Check();
        if (ready > 0)
        {
            return Errno.None;
        }

        for (int i = 0; i < _items.Count; i++)
        {
            if (_items[i].Source is { } source)
            {
                TaskWaitEntry entry = new(task) { Mask = _items[i].Wanted };
                source.AddWaiter(entry);
                _items[i] = _items[i] with { Entry = entry };
            }
        }

        while ((ready = Check()) == 0)
        {
            Errno errno = task.Block(deadlineNs);
            if (errno != Errno.None)
            {
                ready = Check();
                return ready > 0 ? Errno.None : errno;
            }
        }

        return Errno.None;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach ((FileDescription? file, IWaitable? source, PollEvents _, TaskWaitEntry? entry) in _items)
        {
            if (entry is not null)
            {
                source!.RemoveWaiter(entry);
            }

            file?.Release();
        }
    }

    private int Check()
    {
        int ready = 0;
        for (int i = 0; i < _items.Count; i++)
        {
            if (_items[i].Source is { } source)
            {
                _results[i] = source.Readiness(_items[i].Wanted) & (_items[i].Wanted | PollEvents.POLLERR | PollEvents.POLLHUP);
            }

            ready += _results[i] != 0 ? 1 : 0;
        }

        return ready;
    }
}

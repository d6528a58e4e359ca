using Moat.Kernel.Vfs;
using Moat.Kernel.Waiting;
using Moat.Linux;

namespace Moat.Kernel.Tasks;

/// <summary>Several descriptors that a task waits for together. The task keeps the set, so that waiting allocates nothing; between <see cref="Clear"/> and the first <see cref="Add"/> it holds no file.</summary>
public sealed class PollSet
{
    private const int MaxKept = 256; // items: more are let go again

    private readonly GuestTask _task;
    private Item[] _items = new Item[8];
    private int _count;

    internal PollSet(GuestTask task) => _task = task;

    /// <summary>Adds a descriptor; a negative one is passed over. False if it is not open.</summary>
    public bool Add(int fd, PollEvents wanted)
    {
        if (_count == _items.Length)
        {
            Array.Resize(ref _items, _count * 2);
        }

        ref Item item = ref _items[_count++];
        item.Wanted = wanted;
        item.Result = 0;
        if (fd < 0)
        {
            return true;
        }

        bool isOpen = _task.Files.Get(fd).TryGet(out item.File, out _);
        item.Source = item.File?.WaitableFor(_task);
        item.Result = isOpen ? 0 : PollEvents.POLLNVAL;
        return isOpen;
    }

    /// <summary>What the descriptor at an index has.</summary>
    public PollEvents ResultOf(int index) => _items[index].Result;

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

        foreach (ref Item item in _items.AsSpan(0, _count))
        {
            if (item.Source is { } source)
            {
                item.Entry ??= new TaskWaitEntry(_task);
                item.Entry.Mask = item.Wanted;
                item.IsWaiting = true;
                source.AddWaiter(item.Entry);
            }
        }

        while ((ready = Check()) == 0)
        {
            Errno errno = _task.Block(deadlineNs);
            if (errno != Errno.None)
            {
                ready = Check();
                return ready > 0 ? Errno.None : errno;
            }
        }

        return Errno.None;
    }

    /// <summary>Lets everything go.</summary>
    public void Clear()
    {
        foreach (ref Item item in _items.AsSpan(0, _count))
        {
            if (item.IsWaiting)
            {
                item.IsWaiting = false;
                item.Source!.RemoveWaiter(item.Entry!);
            }

            item.Source = null;
            item.File?.Release();
            item.File = null;
        }

        _count = 0;
        if (_items.Length > MaxKept)
        {
            _items = new Item[8];
        }
    }

    private int Check()
    {
        int ready = 0;
        foreach (ref Item item in _items.AsSpan(0, _count))
        {
            if (item.Source is { } source)
            {
                item.Result = source.Readiness(item.Wanted) & (item.Wanted | PollEvents.POLLERR | PollEvents.POLLHUP);
            }

            ready += item.Result != 0 ? 1 : 0;
        }

        return ready;
    }

    private struct Item
    {
        public FileDescription? File;
        public IWaitable? Source;
        public PollEvents Wanted;
        public PollEvents Result;
        public bool IsWaiting;
        public TaskWaitEntry? Entry; // kept for the next call
    }
}

using System.Runtime.InteropServices;
using Moat.Linux;

namespace Moat.Host;

/// <summary>Which processors threads may run on: sched_setaffinity(2). Those that this process had in the beginning are all there are.</summary>
public static unsafe partial class HostProcessors
{
    private const int Words = 128; // 8,192 processors
    private const int BitsPerWord = 64;

    private static readonly ulong[] s_all = FindAll();

    /// <summary>The processor that the calling thread runs on.</summary>
    public static int Current => GetProcessor();

    /// <summary>Their numbers, in order; none on a host with more than can be told. Whoever binds threads asks before: the calling thread's are learnt at the first use.</summary>
    public static int[] All()
    {
        List<int> found = [];
        for (int i = 0; i < Words * BitsPerWord; i++)
        {
            if ((s_all[i / BitsPerWord] & Bit(i)) != 0)
            {
                found.Add(i);
            }
        }

        return [.. found];
    }

    /// <summary>Has a thread run on one processor only.</summary>
    /// <param name="tid">The thread; 0 for the calling one.</param>
    /// <param name="processor">The processor.</param>
    public static Errno Bind(int tid, int processor)
    {
        if ((uint)processor >= Words * BitsPerWord)
        {
            return Errno.EINVAL;
        }

        Span<ulong> set = stackalloc ulong[Words];
        set[processor / BitsPerWord] = Bit(processor);
        return Set(tid, set);
    }

    /// <summary>Has a thread run on any of them.</summary>
    public static Errno Free(int tid) => Set(tid, s_all);

    private static ulong Bit(int processor) => 1UL << (processor % BitsPerWord);

    private static Errno Set(int tid, ReadOnlySpan<ulong> set)
    {
        // SAFETY: the kernel reads the words of the span during the call only.
        fixed (ulong* words = set)
        {
            return HostCall.Invoke(SyscallNumber.sched_setaffinity, tid, Words * sizeof(ulong), (nint)words).Errno;
        }
    }

    private static ulong[] FindAll()
    {
        ulong[] set = new ulong[Words];

        // SAFETY: the kernel writes the words of the array during the call only.
        fixed (ulong* words = set)
        {
            HostCall.Invoke(SyscallNumber.sched_getaffinity, 0, Words * sizeof(ulong), (nint)words);
        }

        return set;
    }

    [LibraryImport("libc", EntryPoint = "sched_getcpu")]
    [SuppressGCTransition] // reads a word that the kernel keeps up to date
    private static partial int GetProcessor();
}

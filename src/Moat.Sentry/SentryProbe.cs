using Moat.Host.Seccomp;
using Moat.Linux;

namespace Moat.Sentry;

/// <summary>Puts the Sentry's filter on this process, prepared as the Sentry prepares itself, and does what a runtime does; for tests.</summary>
public static class SentryProbe
{
    private const int NoDescriptor = 1023;
    private const int Threads = 16;

    private static int s_count;

    /// <summary>Warms the runtime up and installs the filter.</summary>
    public static Errno Confine()
    {
        RuntimeWarmup.Run();
        return SentryFilter.Create(NoDescriptor, usesHostNetwork: false).Install();
    }

    /// <summary>Collects a large heap, starts threads, throws and catches exceptions of several depths, some of them inside of collections.</summary>
    /// <returns>What went wrong, or null.</returns>
    public static string? ExerciseRuntime()
    {
        List<byte[]> heap = [];
        for (int i = 0; i < 20_000; i++)
        {
            heap.Add(new byte[(i % 64) << 8]);
            if (i % 3 == 0)
            {
                heap[i / 2] = [];
            }
        }

        GC.Collect(2, GCCollectionMode.Forced, blocking: true, compacting: true);
        Thread[] threads = new Thread[Threads];
        for (int i = 0; i < threads.Length; i++)
        {
            threads[i] = new Thread(static () =>
            {
                for (int depth = 0; depth < 50; depth++)
                {
                    try
                    {
                        Throw(depth);
                    }
                    catch (InvalidOperationException e) when (e.StackTrace is { Length: > 0 })
                    {
                        Interlocked.Increment(ref s_count);
                    }
                }

                GC.Collect();
            });
            threads[i].Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        heap.Clear();
        GC.Collect();
        return s_count == Threads * 50 ? null : $"{s_count} exceptions were caught";
    }

    private static void Throw(int depth)
    {
        if (depth == 0)
        {
            throw new InvalidOperationException("probe");
        }

        Throw(depth - 1);
    }
}

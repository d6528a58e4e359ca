namespace Moat.Kernel.Tasks;

/// <summary>What a task has used besides CPU time, or tasks that have ended together: faults, switches, bytes (getrusage(2), /proc/PID/io, stat and status).</summary>
/// <remarks>The task counts without a lock; others read values that may be a moment old. Sums of ended tasks are under <see cref="SentryKernel.TaskLock"/>.</remarks>
public sealed class TaskUsage
{
    /// <summary>Page faults. All are minor: the host's page cache, which the Sentry cannot ask, knows which read from a disk.</summary>
    public long Faults { get; private set; }

    /// <summary>How often it gave up the processor to wait.</summary>
    public long VoluntarySwitches { get; private set; }

    /// <summary>Read calls that succeeded.</summary>
    public long ReadCalls { get; private set; }

    /// <summary>Write calls that succeeded.</summary>
    public long WriteCalls { get; private set; }

    /// <summary>Bytes that read calls returned.</summary>
    public long ReadBytes { get; private set; }

    /// <summary>Bytes that write calls took.</summary>
    public long WrittenBytes { get; private set; }

    /// <summary>The largest resident set that an address space had, of those that are gone.</summary>
    public ulong PeakResidentBytes { get; private set; }

    /// <summary>A fault was served.</summary>
    public void CountFault() => Faults++;

    /// <summary>The task is about to sleep.</summary>
    public void CountSwitch() => VoluntarySwitches++;

    /// <summary>A read call returned <paramref name="bytes"/>.</summary>
    public void CountRead(long bytes)
    {
        ReadCalls++;
        ReadBytes += bytes;
    }

    /// <summary>A write call took <paramref name="bytes"/>.</summary>
    public void CountWrite(long bytes)
    {
        WriteCalls++;
        WrittenBytes += bytes;
    }

    /// <summary>An address space goes.</summary>
    public void NotePeak(ulong residentBytes) => PeakResidentBytes = Math.Max(PeakResidentBytes, residentBytes);

    /// <summary>Adds another's counts.</summary>
    public void Add(TaskUsage other)
    {
        ArgumentNullException.ThrowIfNull(other);
        Faults += other.Faults;
        VoluntarySwitches += other.VoluntarySwitches;
        ReadCalls += other.ReadCalls;
        WriteCalls += other.WriteCalls;
        ReadBytes += other.ReadBytes;
        WrittenBytes += other.WrittenBytes;
        NotePeak(other.PeakResidentBytes);
    }
}

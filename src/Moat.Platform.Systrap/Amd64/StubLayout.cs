namespace Moat.Platform.Systrap.Amd64;

/// <summary>Where things are in the region at the top of every stub.</summary>
/// <param name="Start">The first byte: the end of what applications may use.</param>
/// <param name="OrdersFd">The descriptor of the file with the pages of orders.</param>
/// <param name="HostVdso">The host's vDSO, which stubs keep; null if there is none.</param>
internal sealed record StubLayout(ulong Start, int OrdersFd, HostVdso? HostVdso)
{
    /// <summary>How many threads a stub process can have.</summary>
    public const int MaxThreads = (int)(SlotsSize / ThreadSlot.Size);

    /// <summary>Bytes of the code.</summary>
    public const int CodeSize = PageSize;

    /// <summary>Bytes of the read-only data.</summary>
    public const int DataSize = 2 * PageSize;

    /// <summary>From the beginning of the data: the filter of the thread that carries out orders, a <c>struct sock_fprog</c>.</summary>
    public const int WorkerFilter = 0;

    /// <summary>From the beginning of the data: the filter that threads of the application have on top.</summary>
    public const int ApplicationFilter = 1024;

    /// <summary>From the beginning of the data: the <c>struct sigaction</c> of the handler.</summary>
    public const int HandlerAction = 2048;

    /// <summary>From the beginning of the data: one with SIG_IGN.</summary>
    public const int IgnoreAction = 2080;

    /// <summary>From the beginning of the data: an empty signal set, and two zero words more.</summary>
    public const int Zero = 2112;

    /// <summary>From the beginning of the data: for each of the first system calls a byte, which of <see cref="ThreadSlot.Answers"/> it is answered with.</summary>
    public const int AnswerIndex = 2304;

    /// <summary>How many system calls have one.</summary>
    public const int AnswerIndexSize = 256;

    /// <summary>From the beginning of the data: the numbers from 1 on, eight bytes each.</summary>
    public const int Numbers = PageSize;

    /// <summary>The binary logarithm of <see cref="SlotsSize"/>.</summary>
    public const int SlotsShift = 28;

    private const ulong SlotsSize = 1UL << SlotsShift;
    private const int PageSize = MemoryFile.PageSize;

    /// <summary>The read-only data.</summary>
    public ulong Data => Start + CodeSize;

    /// <summary>A stub's page of orders, read-only.</summary>
    public ulong Orders => Data + DataSize;

    /// <summary>A page of the first stub's own, for a number that it reports.</summary>
    public ulong Scratch => Orders + PageSize;

    /// <summary>The end of what the first stub inherits from the Sentry.</summary>
    public ulong InheritedEnd => Scratch + PageSize;

    /// <summary>Where the host's vDSO is.</summary>
    public ulong Vdso => Start + 0x100000;

    /// <summary>Its end.</summary>
    public ulong VdsoEnd => HostVdso is null ? Vdso : Vdso + (HostVdso.End - HostVdso.Start);

    /// <summary>The slots of the process' threads, aligned to their whole size: an address among them is known by its high bits.</summary>
    public ulong Slots => Start + SlotsSize;

    /// <summary>The end of the region.</summary>
    public ulong End => Slots + SlotsSize;
}

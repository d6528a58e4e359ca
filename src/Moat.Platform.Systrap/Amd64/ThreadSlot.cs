namespace Moat.Platform.Systrap.Amd64;

/// <summary>Layout of the memory that one stub thread shares with the Sentry: words for the hand-over, and the stack of the signal handler, on which the kernel saves the application's
/// registers. The application can write all of it.</summary>
internal static class ThreadSlot
{
    /// <summary>Bytes of a slot, a power of two; slots are aligned to it.</summary>
    public const int Size = 8192;

    /// <summary>int: whose turn it is, see <see cref="HandOver"/>.</summary>
    public const int Turn = 0;

    /// <summary>int: how often the stub looks at <see cref="Turn"/> before it sleeps; may change meanwhile.</summary>
    public const int SpinLimit = 4;

    /// <summary>The address of the signal frame, as the stub sees it.</summary>
    public const int Frame = 8;

    /// <summary>The FS base of the application.</summary>
    public const int FsBase = 16;

    /// <summary>The GS base of the application.</summary>
    public const int GsBase = 24;

    /// <summary>int: the thread's id.</summary>
    public const int Tid = 32;

    /// <summary>The <c>stack_t</c> that the thread installs.</summary>
    public const int AlternateStack = 40;

    /// <summary>int: how the stub handed over, a <see cref="HandOverReason"/>.</summary>
    public const int Reason = 36;

    /// <summary>int: what <see cref="FastCallCode"/> does when it has its turn again, a <see cref="FastAnswer"/>.</summary>
    public const int Answer = 64;

    /// <summary>int: how often the stub gives its processor to others after that; may change meanwhile.</summary>
    public const int YieldLimit = 68;

    /// <summary>int: the processor that the stub's thread waits on, or waited on last, and above twelve bits its node (RDTSCP).</summary>
    public const int Place = 72;

    /// <summary>uint: how long the longest wait for its own processor was since the Sentry looked, in ticks of the time stamp counter.</summary>
    public const int LongestYield = 76;

    /// <summary>The address of a frame that only the Sentry writes, as the stub sees it: see <see cref="FastAnswer"/>.</summary>
    public const int Prepared = 96;

    /// <summary>int: 1 from when the thread hands a patched call over until the Sentry has taken it.</summary>
    public const int Call = 104;

    /// <summary>ints: what calls answer, see <see cref="Platform.CallAnswers"/>; negative for what the Sentry is to be asked. The first is always negative.</summary>
    public const int Answers = 108;

    /// <summary>The registers of a call without a signal: a <c>struct sigcontext</c>.</summary>
    public const int FastContext = 256;

    /// <summary>Calls that the thread makes for itself when it has its turn again, before it goes on: the number and three arguments of each; behind the last
    /// one, 0. The first number is 0 when all have been made.</summary>
    public const int OwnCalls = 512;

    /// <summary>Bytes of one.</summary>
    public const int OwnCallSize = 32;

    /// <summary>Where the handler's stack begins. Its end is used; the frame that the Sentry prepares lies here as well.</summary>
    public const int Stack = 1024;
}

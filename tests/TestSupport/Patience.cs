using System.Diagnostics;

namespace Moat.TestSupport;

/// <summary>How long a test waits for what must happen. The limit tells a hang from slowness; it judges no speed, so it lies far beyond what a crowded machine needs, and costs nothing where all is well.</summary>
public static class Patience
{
    /// <summary>The limit in seconds.</summary>
    public const int Seconds = 120;

    private const int PauseMs = 20;

    /// <summary>The limit.</summary>
    public static TimeSpan Limit { get; } = TimeSpan.FromSeconds(Seconds);

    /// <summary>Waits until something is true; throws <see cref="TimeoutException"/> if it never is.</summary>
    /// <param name="condition">What must become true.</param>
    /// <param name="what">Its name.</param>
    public static void Await(Func<bool> condition, string what) => Await(condition, () => what);

    /// <summary>As above, for a name that tells what there is instead.</summary>
    public static void Await(Func<bool> condition, Func<string> what)
    {
        ArgumentNullException.ThrowIfNull(condition);
        ArgumentNullException.ThrowIfNull(what);
        for (Stopwatch watch = Stopwatch.StartNew(); !condition(); Thread.Sleep(PauseMs))
        {
            if (watch.Elapsed > Limit)
            {
                throw new TimeoutException($"waited {Seconds} s for: {what()}");
            }
        }
    }
}

using Moat.Linux;

namespace Moat.Platform;

/// <summary>Calls that were left to the application to make, of which nobody knows whether it did, in order. The caller locks.</summary>
/// <remarks>Those that take memory away which others are to have are unproven until a thread that is not the application's has made them again. Those that concern nobody else are believed made as
/// soon as the thread that they were left to comes back.</remarks>
internal sealed class LeftCalls
{
    /// <summary>How many can be left at once.</summary>
    public const int MaxAtOnce = 8;

    private const int MaxUnproven = 16;

    private readonly List<(StubOrder Call, bool IsOwn)> _calls = [];

    /// <summary>How many there are.</summary>
    public int Count => _calls.Count;

    /// <summary>Whether a call can be left: not where a protection is unproven, which would fail if it were made again where there is a hole by then, nor if there are too many.</summary>
    public bool CanLeave(in StubOrder call)
    {
        int unproven = 0;
        foreach ((StubOrder left, bool isOwn) in _calls)
        {
            if (!isOwn && left.Number == SyscallNumber.mprotect && left.Overlaps(call))
            {
                return false;
            }

            unproven += isOwn ? 0 : 1;
        }

        return unproven < MaxUnproven;
    }

    /// <summary>Leaves one.</summary>
    /// <param name="call">The call.</param>
    /// <param name="isOwn">Whether it concerns nobody but the application.</param>
    public void Add(in StubOrder call, bool isOwn) => _calls.Add((call, isOwn));

    /// <summary>The thread has come back.</summary>
    public void NoteReturn() => _calls.RemoveAll(static left => left.IsOwn);

    /// <summary>One of them.</summary>
    public StubOrder this[int index] => _calls[index].Call;

    /// <summary>They are known to be made, or will be.</summary>
    public void Clear() => _calls.Clear();
}

namespace Moat.Runtime;

/// <summary>A command cannot be carried out: the host refuses, or the container's state does not allow it. The message is the one line that the user sees; caught once, where a command
/// was parsed.</summary>
public sealed class RuntimeException : Exception
{
    /// <summary>Makes one with its line.</summary>
    public RuntimeException(string message)
        : base(message)
    {
    }

    /// <summary>As above, with what caused it.</summary>
    public RuntimeException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>The command's exit status: 128 unless a shell's convention asks for another (127: no such program).</summary>
    public int ExitCode { get; init; } = 128;

    /// <summary>Makes one without a line.</summary>
    public RuntimeException()
    {
    }
}

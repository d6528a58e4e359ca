using Iced.Intel;

namespace Moat.Platform.Systrap.Amd64;

/// <summary>Places in <see cref="FastCallCode"/> that say, of a thread that was interrupted there, how far it is.</summary>
/// <param name="asm">Where they are emitted.</param>
internal sealed class FastCallPoints(Assembler asm)
{
    /// <summary>From here on the thread has seen an answer in its slot.</summary>
    public Label Looked = asm.CreateLabel();

    /// <summary>From here on it has it in RAX.</summary>
    public Label Committed = asm.CreateLabel();

    /// <summary>Behind the way back with an answer: here the thread goes to the Sentry.</summary>
    public Label Answered = asm.CreateLabel();

    /// <summary>From here on the Sentry knows of the call.</summary>
    public Label HandedOver = asm.CreateLabel();

    /// <summary>From here up to <see cref="OwnCallsEnd"/> it makes calls that were left to it; it may begin with them anew.</summary>
    public Label OwnCalls = asm.CreateLabel();

    /// <summary>They have been made.</summary>
    public Label OwnCallsEnd = asm.CreateLabel();
}

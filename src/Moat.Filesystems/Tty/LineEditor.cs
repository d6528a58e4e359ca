using Moat.Linux.Terminals;

namespace Moat.Filesystems.Tty;

/// <summary>Edits the line being typed, and shows it: erasing a character, a word or the line, printing it again. Part of a <see cref="LineDiscipline"/>.</summary>
internal sealed class LineEditor(InputBuffer input, TerminalOutput output)
{
    private bool _isErasing; // ECHOPRT: within \erased characters/

    /// <summary>Forgets where it was.</summary>
    public void Reset() => _isErasing = false;

    /// <summary>Echoes a character, a control character as ^X where ECHOCTL says so.</summary>
    public void EchoCharacter(in Termios termios, byte character) =>
        output.Echoes.Add(termios.Has(LocalModes.ECHOCTL) && Characters.IsControl(character) && character != '\t' ? EchoKind.Control : EchoKind.Character, character);

    /// <summary>Echoes a character that is about to be added to the line.</summary>
    public void EchoTyped(in Termios termios, byte character)
    {
        if (input.CanonicalHead == input.Head)
        {
            output.Echoes.Add(EchoKind.SetCanonicalColumn);
        }

        EchoCharacter(termios, character);
    }

    /// <summary>Echoes characters through output processing alone.</summary>
    public void EchoRaw(ReadOnlySpan<byte> characters)
    {
        foreach (byte character in characters)
        {
            output.Echoes.Add(EchoKind.Character, character);
        }
    }

    /// <summary>Closes what ECHOPRT has opened.</summary>
    public void FinishErasing()
    {
        if (_isErasing)
        {
            EchoRaw("/"u8);
            _isErasing = false;
        }
    }

    /// <summary>VREPRINT: the line so far, again.</summary>
    public void Reprint(in Termios termios, byte character)
    {
        FinishErasing();
        EchoCharacter(termios, character);
        EchoRaw("\n"u8);
        for (long i = input.CanonicalHead; i < input.Head; i++)
        {
            EchoCharacter(termios, input[i]);
        }
    }

    /// <summary>VERASE, VWERASE or VKILL was typed.</summary>
    public void Erase(in Termios termios, byte character)
    {
        if (input.Head == input.CanonicalHead)
        {
            return;
        }

        bool isCharacter = termios.Is(character, ControlCharacter.VERASE);
        bool isWord = !isCharacter && termios.Is(character, ControlCharacter.VWERASE) && termios.Has(LocalModes.IEXTEN);
        if (!isCharacter && !isWord && Kill(termios, character))
        {
            return;
        }

        bool hasSeenWord = false;
        while (input.Head > input.CanonicalHead)
        {
            long head = input.Head;
            byte erased;
            do
            {
                erased = input[--head];
            }
            while (Characters.IsContinuation(termios, erased) && head > input.CanonicalHead);
            if (Characters.IsContinuation(termios, erased))
            {
                break; // no part of a character goes alone
            }

            if (isWord)
            {
                if (Characters.IsWord(erased))
                {
                    hasSeenWord = true;
                }
                else if (hasSeenWord)
                {
                    break;
                }
            }

            long end = input.Head;
            input.Truncate(head);
            if (termios.Has(LocalModes.ECHO))
            {
                ShowErased(termios, erased, end, isCharacter, character);
            }

            if (isCharacter)
            {
                break;
            }
        }

        if (input.Head == input.CanonicalHead && termios.Has(LocalModes.ECHO))
        {
            FinishErasing();
        }
    }

    // VKILL where the line is not wiped off the screen character by character.
    private bool Kill(in Termios termios, byte character)
    {
        if (termios.Has(LocalModes.ECHO) && termios.Has(LocalModes.ECHOK) && termios.Has(LocalModes.ECHOKE) && termios.Has(LocalModes.ECHOE))
        {
            return false;
        }

        input.Truncate(input.CanonicalHead);
        if (termios.Has(LocalModes.ECHO))
        {
            FinishErasing();
            EchoCharacter(termios, character);
            if (termios.Has(LocalModes.ECHOK))
            {
                EchoRaw("\n"u8);
            }
        }

        return true;
    }

    private void ShowErased(in Termios termios, byte erased, long end, bool isCharacter, byte typed)
    {
        if (termios.Has(LocalModes.ECHOPRT))
        {
            if (!_isErasing)
            {
                EchoRaw("\\"u8);
                _isErasing = true;
            }

            EchoCharacter(termios, erased);
            for (long i = input.Head + 1; i < end; i++)
            {
                EchoRaw([input[i]]);
                output.Echoes.Add(EchoKind.MoveBack);
            }
        }
        else if (isCharacter && !termios.Has(LocalModes.ECHOE))
        {
            EchoCharacter(termios, typed);
        }
        else if (erased == '\t')
        {
            EraseTab(termios);
        }
        else if (!Characters.IsControl(erased))
        {
            EchoRaw("\b \b"u8);
        }
        else if (termios.Has(LocalModes.ECHOCTL))
        {
            EchoRaw("\b \b\b \b"u8);
        }
    }

    private void EraseTab(in Termios termios)
    {
        int columns = 0;
        for (long i = input.Head - 1; i >= input.CanonicalHead; i--)
        {
            byte character = input[i];
            if (character == '\t')
            {
                output.Echoes.Add(EchoKind.EraseTabAfterTab, (byte)(columns & 7));
                return;
            }

            columns += Characters.IsControl(character) ? (termios.Has(LocalModes.ECHOCTL) ? 2 : 0) : Characters.IsContinuation(termios, character) ? 0 : 1;
        }

        output.Echoes.Add(EchoKind.EraseTab, (byte)(columns & 7));
    }
}
